//! Every SQL statement of the capability: a function a statement, named after the question it answers.
//!
//! The tenant is the first parameter everywhere but where the question is whose something is. Rows are read by
//! position, in the order of the columns named.

mod applications;
mod codes;
mod consents;
mod devices;
mod failures;
mod feedback;
mod handovers;
mod people;
mod register;
mod roles;
mod sessions;
mod sweeps;

pub(crate) use applications::{
    application, applications, count_key_use, end_key, insert_application, insert_key,
    is_application_name_taken, key, keys, update_application,
};
pub(crate) use codes::{
    InboxMessage, code, count_code_try, delete_code, delete_codes, inbox, insert_message,
    insert_sending, replace_code, sendings,
};
pub(crate) use consents::{
    consent, consent_text, consents, delete_consents, insert_text, newest_text, newest_texts,
    put_consent,
};
pub(crate) use devices::{
    assign_child, client_id_owner, count_device_change, credentials, device, devices,
    end_credential, forget_credentials, insert_credential, insert_device, is_device_name_taken,
};
pub(crate) use failures::{delete_failures, failures, insert_failure};
pub(crate) use feedback::{
    answer_feedback, delete_feedback_of, feedback, feedbacks, insert_feedback,
};
pub(crate) use handovers::{
    Handover, delete_handover, due_handovers, insert_handover, postpone_handover,
};
pub(crate) use people::{
    Account, NewAccount, PeopleFilter, account, claim_person, delete_memberships, has_password,
    insert_person, insert_tenant, is_person_name_taken, is_tenant, people, person, person_by_phone,
    update_password, update_person, update_phone,
};
pub(crate) use register::{
    Binding, bindings_of, delete_bindings_of, end_binding, erase_person, is_erased, phone_of,
    put_binding, set_digest,
};
pub(crate) use roles::{
    delete_role, permissions_of, put_role, put_roles_of, role, roles, roles_of,
};
pub(crate) use sessions::{
    end_session, end_sessions, insert_session, presented, rotate_refresh, session, sessions,
};
pub(crate) use sweeps::{SWEEP_ROWS_MAX, sweep_codes, sweep_sessions};
