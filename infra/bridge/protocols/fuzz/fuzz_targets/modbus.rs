//! Answers of Modbus in both envelopes, and profiles, from any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meter_protocols::modbus::{Answer, Profile, Question};

fuzz_target!(|bytes: &[u8]| {
    let Some((&[unit, high, low], rest)) = bytes.split_first_chunk::<3>() else {
        return;
    };
    let count = u16::from_be_bytes([high, low]);
    for question in [
        Question::Input { start: 0, count },
        Question::Holding { start: 0, count },
        Question::Coils { start: 0, count },
        Question::SwitchCoil { coil: count, on: true },
    ] {
        let _ = question.rtu_answer(unit, rest);
        let _ = question.tcp_answer(count, unit, rest);
        let Ok(Answer::Registers(registers)) = question.answer(rest) else {
            continue;
        };
        for text in [Profile::EASTRON_SDM, Profile::HEAT_EXAMPLE] {
            let Ok(profile) = Profile::parse(text) else {
                continue;
            };
            for span in profile.spans() {
                let _ = profile.decode(&span, &registers);
            }
        }
    }
    if let Ok(text) = std::str::from_utf8(rest) {
        let _ = Profile::parse(text);
    }
});
