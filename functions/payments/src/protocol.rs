//! What channels speak: keys, signatures and messages. Pure; nothing is sent or stored here.

pub mod alipay;
pub mod alipay_bill;
pub mod bill;
pub mod keys;
pub mod transfers;
pub mod wechat;
pub mod yuan;
