//! Every SQL statement of the capability: a function a statement, named after the question it answers.
//!
//! The tenant is the first parameter everywhere but where the question is whose something is. Rows are read by
//! position, in the order of the columns named.

mod devices;
mod failures;
mod people;

pub(crate) use devices::{
    assign_child, client_id_owner, count_device_change, credentials, device, devices,
    end_credential, forget_credentials, insert_credential, insert_device, is_device_name_taken,
};
pub(crate) use failures::{delete_failures, failures, insert_failure};
pub(crate) use people::{
    account, insert_person, insert_tenant, is_person_name_taken, is_tenant, people, person,
    update_password, update_person,
};
