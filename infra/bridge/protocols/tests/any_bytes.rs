//! Any bytes whatever are a value or an error, never a panic; and what is written is what is read, behind any noise.
#![allow(missing_docs)]

use meter_protocols::cjt188::{self, IdOrder, MeterType, Question, Topic, ValveOrder};
use meter_protocols::dlt645::{self, DataId, Inquiry};
use meter_protocols::mbus;
use meter_protocols::modbus::{self, Profile};
use proptest::collection::vec;
use proptest::prelude::*;

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..300)
}

const IDS: [DataId; 8] = [
    DataId::COMBINED_TOTAL,
    DataId::FORWARD_BLOCK,
    DataId::VOLTAGE_A,
    DataId::CURRENT_A,
    DataId::POWER,
    DataId::DATE,
    DataId::TIME,
    DataId(0x0506_0001),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn dlt645_reads_any_bytes(bytes in any_bytes(), id: u32) {
        let _ = dlt645::find(&bytes);
        for id in IDS.into_iter().chain([DataId(id), DataId::freeze(1)]) {
            let _ = dlt645::decode(id, &bytes);
        }
    }

    #[test]
    fn dlt645_takes_any_answer(data in vec(any::<u8>(), 0..40), control: u8, id: u32) {
        let frame = dlt645::Frame { address: dlt645::Address::ANY, control, data };
        let mut inquiry = Inquiry::new(dlt645::Address::ANY, DataId(id));
        for _ in 0..3 {
            let _ = inquiry.take(&frame);
        }
        let _ = inquiry.items();
    }

    #[test]
    fn dlt645_a_frame_written_is_the_frame_read_behind_noise(
        noise in vec(any::<u8>().prop_filter("no start", |byte| *byte != 0x68), 0..20),
        address: [u8; 6],
        control: u8,
        data in vec(any::<u8>(), 0..=200),
        preambles in 0_u8..=4,
    ) {
        let frame = dlt645::Frame { address: dlt645::Address::from_wire(address), control, data };
        let written = [noise, frame.to_bytes(preambles)].concat();
        prop_assert_eq!(dlt645::find(&written), Ok((frame, written.len())));
    }

    #[test]
    fn dlt645_a_frame_cut_short_is_truncated_and_a_changed_one_refused(
        data in vec(any::<u8>(), 0..=20), at in 0_usize..32, change in 1_u8..,
    ) {
        let frame = dlt645::Frame { address: dlt645::Address::BROADCAST, control: 0x91, data };
        let written = frame.to_bytes(0);
        let at = at % written.len();
        let cut = dlt645::find(&written[..at]);
        let truncated = matches!(cut, Err(meter_protocols::Error::Truncated { .. }));
        prop_assert!(truncated);
        let mut changed = written;
        changed[at] ^= change;
        prop_assert_ne!(dlt645::find(&changed).map(|(found, _)| found), Ok(frame));
    }

    #[test]
    fn cjt188_reads_any_bytes(bytes in any_bytes(), data in vec(any::<u8>(), 0..60), control: u8, sort: u8) {
        let _ = cjt188::find(&bytes);
        for topic in [Topic::Reading, Topic::History(3), Topic::Address, Topic::Purchase, Topic::Valve(ValveOrder::Open)] {
            let question = Question {
                meter_type: MeterType::ANY,
                address: cjt188::Address::ANY,
                order: IdOrder::LowFirst,
                serial: 7,
                topic,
            };
            let mut frame = question.frame();
            frame.meter_type = MeterType(sort);
            let _ = question.answer(&frame.answered(cjt188::Address::ANY, &data));
            frame.control = control;
            frame.data.clone_from(&data);
            let _ = question.answer(&frame);
        }
    }

    #[test]
    fn cjt188_a_frame_written_is_the_frame_read(
        meter_type: u8, control: u8, data in vec(any::<u8>(), 0..=255), preambles in 0_u8..=4,
    ) {
        let frame = cjt188::Frame {
            meter_type: MeterType(meter_type),
            address: "78331505104145".parse().unwrap(),
            control,
            data,
        };
        let written = frame.to_bytes(preambles);
        prop_assert_eq!(cjt188::find(&written), Ok((frame, written.len())));
    }

    #[test]
    fn modbus_reads_any_bytes(bytes in any_bytes(), start: u16, count: u16, unit: u8) {
        for question in [
            modbus::Question::Holding { start, count },
            modbus::Question::Input { start, count },
            modbus::Question::Coils { start, count },
            modbus::Question::SwitchCoil { coil: start, on: true },
        ] {
            let _ = question.rtu_answer(unit, &bytes);
            let _ = question.tcp_answer(start, unit, &bytes);
            let _ = question.answer(&bytes);
            prop_assert_eq!(modbus::Question::of_body(&question.body()), Ok(question));
        }
        let _ = modbus::Question::of_body(&bytes);
    }

    #[test]
    fn modbus_registers_written_are_the_registers_read(
        registers in vec(any::<u16>(), 1..=125), unit: u8, transaction: u16, noise in vec(any::<u8>(), 0..4),
    ) {
        let question = modbus::Question::Input { start: 9, count: registers.len() as u16 };
        let mut body = vec![0x04, (registers.len() * 2) as u8];
        body.extend(registers.iter().flat_map(|register| register.to_be_bytes()));
        let answer = modbus::Answer::Registers(registers);
        let over_tcp = modbus::tcp(transaction, unit, &body);
        prop_assert_eq!(question.tcp_answer(transaction, unit, &over_tcp), Ok((answer.clone(), over_tcp.len())));
        let on_a_line = [noise, modbus::rtu(unit, &body)].concat();
        prop_assert_eq!(question.rtu_answer(unit, &on_a_line), Ok((answer, on_a_line.len())));
    }

    #[test]
    fn profiles_read_any_registers(registers in vec(any::<u16>(), 0..20)) {
        for text in [Profile::EASTRON_SDM, Profile::HEAT_EXAMPLE] {
            let profile = Profile::parse(text).unwrap();
            for span in profile.spans() {
                let _ = profile.decode(&span, &registers);
            }
        }
    }

    #[test]
    fn any_text_is_a_profile_or_an_error(text in ".{0,200}") {
        let _ = Profile::parse(&text);
    }

    #[test]
    fn mbus_reads_any_bytes(bytes in any_bytes(), ci in 0x70_u8..0x7C) {
        let _ = (mbus::find(&bytes), mbus::find_long(&bytes));
        let _ = mbus::Frame::answer(1, ci, bytes).application(1);
    }

    #[test]
    fn mbus_a_frame_written_is_the_frame_read(address: u8, ci: u8, data in vec(any::<u8>(), 0..=252)) {
        let frame = mbus::Frame::answer(address, ci, data);
        let written = frame.to_bytes();
        prop_assert_eq!(mbus::find_long(&written), Ok((frame, written.len())));
        for short in [mbus::Frame::ask(address, true), mbus::Frame::initialise(address)] {
            prop_assert_eq!(mbus::find(&short.to_bytes()), Ok((short, 5)));
        }
    }
}
