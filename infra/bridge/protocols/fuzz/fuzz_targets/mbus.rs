//! Frames and records of the M-Bus from any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meter_protocols::mbus::{Frame, SELECTED, find, find_long};

fuzz_target!(|bytes: &[u8]| {
    let _ = find(bytes);
    if let Ok((frame, _)) = find_long(bytes) {
        let _ = frame.application(SELECTED);
    }
    if let Some((ci, data)) = bytes.split_first() {
        for ci in [*ci, 0x72, 0x73, 0x78, 0x7A] {
            let _ = Frame::answer(1, ci, data.to_vec()).application(1);
        }
    }
});
