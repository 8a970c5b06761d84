//! Transfers to people at WeChat Pay v3 (商家转账), one bill each: what is sent, and what answers and notices say.
//!
//! After the public description of the interface: paths, names of fields and states are its own.

use serde::{Deserialize, Serialize};

/// Where bills are sent to.
pub const PATH: &str = "/v3/fund-app/mch-transfer/transfer-bills";
/// What the notice of a bill that has ended is called.
pub const FINISHED: &str = "MCHTRANSFER.BILL.FINISHED";
/// What a notice's resource is of.
pub const RESOURCE: &str = "mch_payment";
/// From this amount on the payee's name is demanded, in fen.
pub const NAME_FROM_MINOR: i64 = 200_000;
/// Below this amount a name may not be given, in fen.
pub const NAME_NOT_BELOW_MINOR: i64 = 30;

/// Where a bill is asked for by our own number.
#[must_use]
pub fn path_of(number: &str) -> String {
    format!("{PATH}/out-bill-no/{number}")
}

/// One thing that is reported of what a transfer is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What it is; the scene prescribes it.
    pub info_type: String,
    /// Its content, at most 32 characters.
    pub info_content: String,
}

/// A bill as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewBill {
    /// The app by which the payee is known.
    pub appid: String,
    /// Our number: digits and letters, at most 32.
    pub out_bill_no: String,
    /// What sort of transfer it is.
    pub transfer_scene_id: String,
    /// The payee.
    pub openid: String,
    /// The payee's name, encrypted for the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// How much, in fen.
    pub transfer_amount: i64,
    /// Why, for the payee; at most 32 characters.
    pub transfer_remark: String,
    /// Where the notice is posted to.
    pub notify_url: String,
    /// What is reported of the scene.
    pub transfer_scene_report_infos: Vec<Report>,
}

/// A bill as answers, queries and notices tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Our number.
    pub out_bill_no: String,
    /// The platform's number.
    #[serde(default)]
    pub transfer_bill_no: String,
    /// `ACCEPTED`, `PROCESSING`, `WAIT_USER_CONFIRM`, `TRANSFERING`, `SUCCESS`, `FAIL`, `CANCELING`, `CANCELLED`.
    pub state: String,
    /// The merchant; not in the first answer.
    #[serde(default, alias = "mchid", skip_serializing_if = "Option::is_none")]
    pub mch_id: Option<String>,
    /// How much, in fen; not in the first answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_amount: Option<i64>,
    /// What the payee's app opens to say yes; only while that is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_info: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_reason: Option<String>,
    /// When it was made, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_time: Option<String>,
    /// When its state changed, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_time: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_of_a_bill_is_read_with_the_names_of_the_interface() {
        let text = r#"{"out_bill_no":"plfk2020042013","transfer_bill_no":"1330000071100999991182020050700019480001",
            "state":"FAIL","mch_id":"1900000109","transfer_amount":2000,"openid":"o-x","fail_reason":"PAYEE_ACCOUNT_ABNORMAL",
            "create_time":"2027-01-15T16:00:00+08:00","update_time":"2027-01-15T16:00:10+08:00"}"#;
        let bill: Bill = serde_json::from_str(text).unwrap();
        assert_eq!(
            (bill.state.as_str(), bill.transfer_amount),
            ("FAIL", Some(2_000))
        );
        assert_eq!(bill.mch_id.as_deref(), Some("1900000109"));
        assert_eq!(
            path_of("n1"),
            "/v3/fund-app/mch-transfer/transfer-bills/out-bill-no/n1"
        );
    }
}
