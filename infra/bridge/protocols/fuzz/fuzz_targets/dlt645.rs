//! Frames, answers and data of DL/T 645 from any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meter_protocols::dlt645::{Address, DataId, Inquiry, decode, find};

fuzz_target!(|bytes: &[u8]| {
    let Some((id, data)) = bytes.split_first_chunk() else {
        return;
    };
    let id = DataId(u32::from_le_bytes(*id));
    for id in [id, DataId::FORWARD_BLOCK, DataId::POWER, DataId::freeze(1), DataId::freeze_time(1)] {
        let _ = decode(id, data);
    }
    let mut inquiry = Inquiry::new(Address::ANY, id);
    let mut rest = data;
    while let Ok((frame, used)) = find(rest) {
        let _ = inquiry.take(&frame);
        let _ = Address::told_by(&frame);
        rest = &rest[used..];
    }
    let _ = inquiry.items();
});
