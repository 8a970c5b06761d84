//! Frames and readings of CJ/T 188 from any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meter_protocols::cjt188::{Address, IdOrder, MeterType, Question, Topic, ValveOrder, find};

fuzz_target!(|bytes: &[u8]| {
    let Some((sort, data)) = bytes.split_first() else {
        return;
    };
    for topic in [
        Topic::Reading,
        Topic::History(1),
        Topic::Address,
        Topic::Purchase,
        Topic::Valve(ValveOrder::Close),
    ] {
        let question = Question {
            meter_type: MeterType::ANY,
            address: Address::ANY,
            order: IdOrder::HighFirst,
            serial: 0,
            topic,
        };
        let mut said = question.frame().answered(Address::ANY, data);
        said.meter_type = MeterType(*sort);
        let _ = question.answer(&said);
        if let Ok((frame, _)) = find(data) {
            let _ = question.answer(&frame);
        }
    }
});
