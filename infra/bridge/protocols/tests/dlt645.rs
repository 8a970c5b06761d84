//! DL/T 645-2007 beyond the published frames: blocks, freezes, several frames, wildcards, signs and absent values.
#![allow(missing_docs)]

use meter_protocols::dlt645::{
    self, Address, DataId, Frame, Function, Inquiry, Progress, Quantity, Relay, Tariff, decode,
};
use meter_protocols::{Error, LocalTime, Unit};

const METER: &str = "000000001234";

fn meter() -> Address {
    METER.parse().unwrap()
}

fn answer(id: DataId, data: &[u8], more: bool) -> Frame {
    let data = [&id.to_wire(), data].concat();
    Frame::answer(meter(), Function::Read, data, more)
}

#[test]
fn a_block_is_the_total_and_every_tariff() {
    let mut data = Vec::new();
    for value in [0x10_u8, 0x01, 0x02, 0x03, 0x04] {
        data.extend([0x00, value, 0x00, 0x00]);
    }
    let items = decode(DataId::FORWARD_BLOCK, &data).unwrap();
    let said: Vec<_> = items
        .iter()
        .map(|item| (item.tariff, item.amount.unwrap().milli))
        .collect();
    let tariff = |number, milli| (Tariff::Number(number), milli);
    let (sharp, peak) = (tariff(1, 1_000), tariff(2, 2_000));
    let (flat, valley) = (tariff(3, 3_000), tariff(4, 4_000));
    assert_eq!(said, [(Tariff::Total, 10_000), sharp, peak, flat, valley]);
    assert_eq!(items[0].quantity, Quantity::ForwardEnergy);
}

#[test]
fn a_block_that_is_cut_short_is_no_block() {
    for bytes in [0, 3, 5] {
        let cut = decode(DataId::FORWARD_BLOCK, &vec![0; bytes]);
        assert!(matches!(cut, Err(Error::Truncated { .. })), "{bytes}");
    }
    let long = decode(DataId::FORWARD_TOTAL, &[0; 5]);
    assert!(matches!(long, Err(Error::Malformed(_))));
}

#[test]
fn a_freeze_tells_its_energy_and_its_moment() {
    assert_eq!(DataId::freeze(1), DataId(0x0506_0101));
    assert_eq!(DataId::freeze(62), DataId(0x0506_013E));
    let energy = decode(
        DataId::freeze(7),
        &[0x35, 0x06, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00],
    );
    let energy = energy.unwrap();
    assert_eq!(energy[0].amount.map(|amount| amount.milli), Some(6_350));
    assert_eq!(energy[1].tariff, Tariff::Number(1));
    let moment = decode(DataId::freeze_time(7), &[0x00, 0x00, 0x22, 0x11, 0x26]).unwrap();
    assert_eq!(moment[0].moment, LocalTime::new((2026, 11, 22), (0, 0, 0)));
    for nothing in [[0xFF; 5], [0; 5]] {
        assert_eq!(
            decode(DataId::freeze_time(1), &nothing).unwrap()[0].moment,
            None
        );
    }
    assert!(matches!(
        decode(DataId::freeze(63), &[0; 4]),
        Err(Error::Unknown { .. })
    ));
    assert!(matches!(
        decode(DataId::freeze(0), &[0; 4]),
        Err(Error::Unknown { .. })
    ));
}

#[test]
fn what_does_not_fit_into_one_frame_is_asked_for_until_the_end() {
    let id = DataId::FORWARD_BLOCK;
    let mut inquiry = Inquiry::new(meter(), id);
    let first = answer(id, &[0x00, 0x10, 0x00, 0x00], true);
    assert_eq!(first.control, 0xB1);
    assert_eq!(inquiry.take(&first), Ok(Progress::More));
    let (question, _) = dlt645::find(&inquiry.question(4)).unwrap();
    assert_eq!(
        (question.control, question.data.as_slice()),
        (0x12, [0x00, 0xFF, 0x01, 0x00, 0x01].as_slice())
    );
    let rest = |number: u8, more| {
        let data = [&id.to_wire(), [0x00, number, 0x00, 0x00, number].as_slice()].concat();
        Frame::answer(meter(), Function::ReadMore, data, more)
    };
    assert!(matches!(
        inquiry.take(&rest(2, false)),
        Err(Error::OtherQuestion(_))
    ));
    assert_eq!(inquiry.take(&rest(1, true)), Ok(Progress::More));
    assert_eq!(inquiry.take(&rest(2, false)), Ok(Progress::Done));
    let items = inquiry.items().unwrap();
    assert_eq!(
        items
            .iter()
            .map(|item| item.amount.unwrap().milli)
            .collect::<Vec<_>>(),
        [10_000, 1_000, 2_000]
    );
}

#[test]
fn a_meter_that_never_comes_to_an_end_is_left() {
    let id = DataId::FORWARD_BLOCK;
    let mut inquiry = Inquiry::new(meter(), id);
    inquiry.take(&answer(id, &[0; 4], true)).unwrap();
    let mut asked = 1_u8;
    let error = loop {
        let data = [&id.to_wire(), [0; 40].as_slice(), &[asked]].concat();
        let frame = Frame::answer(meter(), Function::ReadMore, data, true);
        match inquiry.take(&frame) {
            Ok(_) => asked += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, Error::Malformed("the meter never comes to an end"));
}

#[test]
fn signs_absent_values_and_broken_digits_are_told_apart() {
    let power = |bytes: [u8; 3]| decode(DataId::POWER, &bytes).map(|items| items[0].amount);
    assert_eq!(
        power([0x45, 0x23, 0x01])
            .unwrap()
            .map(|amount| amount.milli),
        Some(1_234_500)
    );
    assert_eq!(
        power([0x45, 0x23, 0x81])
            .unwrap()
            .map(|amount| amount.milli),
        Some(-1_234_500)
    );
    assert_eq!(
        power([0x45, 0x23, 0x81]).unwrap().map(|amount| amount.unit),
        Some(Unit::Watt)
    );
    assert_eq!(power([0xFF; 3]), Ok(None));
    assert_eq!(power([0x0A, 0, 0]), Err(Error::NotDecimal(0x0A)));
    let combined = decode(DataId::COMBINED_TOTAL, &[0x35, 0x06, 0x00, 0x80]).unwrap();
    assert_eq!(combined[0].amount.map(|amount| amount.milli), Some(-6_350));
    let forward = decode(DataId::FORWARD_TOTAL, &[0x35, 0x06, 0x00, 0x80]).unwrap();
    assert_eq!(
        forward[0].amount.map(|amount| amount.milli),
        Some(800_006_350_i64)
    );
    let current = decode(DataId::CURRENT_A, &[0x34, 0x12, 0x00]).unwrap();
    assert_eq!(current[0].amount.map(|amount| amount.milli), Some(1_234));
}

#[test]
fn the_clock_is_read() {
    let date = decode(DataId::DATE, &[0x00, 0x22, 0x11, 0x26]).unwrap();
    assert_eq!(date[0].moment, LocalTime::new((2026, 11, 22), (0, 0, 0)));
    let time = decode(DataId::TIME, &[0x05, 0x30, 0x23]).unwrap();
    assert_eq!(time[0].amount.map(|amount| amount.milli), Some(84_605_000));
}

#[test]
fn wildcards_cover_and_foreign_answers_are_refused() {
    let ending = Address::ending_with("1234").unwrap();
    assert_eq!(ending.to_string(), "AAAAAAAA1234");
    assert!(ending.covers(meter()) && Address::ANY.covers(meter()));
    assert!(meter().is_exact() && !ending.is_exact() && !Address::BROADCAST.is_exact());
    let mut inquiry = Inquiry::new("000000001235".parse().unwrap(), DataId::FORWARD_TOTAL);
    let foreign = inquiry.take(&answer(DataId::FORWARD_TOTAL, &[0; 4], false));
    let (asked, answered) = ("000000001235".to_owned(), METER.to_owned());
    assert_eq!(foreign, Err(Error::ForeignAddress { asked, answered }));
    for text in ["", "12", "00000000123G", "0000000012345678", "00000000123B"] {
        assert!(text.parse::<Address>().is_err(), "{text}");
    }
}

#[test]
fn an_answer_to_another_id_is_a_late_one() {
    let mut inquiry = Inquiry::new(meter(), DataId::FORWARD_TOTAL);
    let late = inquiry.take(&answer(DataId::COMBINED_TOTAL, &[0; 4], false));
    assert_eq!(late, Err(Error::OtherQuestion("the data id")));
}

#[test]
fn the_only_meter_on_a_line_tells_its_address() {
    let frame = Frame::answer(
        meter(),
        Function::ReadAddress,
        meter().to_wire().to_vec(),
        false,
    );
    assert_eq!(frame.control, 0x93);
    assert_eq!(Address::told_by(&frame), Ok(meter()));
}

#[test]
fn a_relay_is_moved_at_one_meter_for_a_time() {
    let until = LocalTime::new((2026, 11, 22), (23, 59, 58)).unwrap();
    let question = dlt645::relay_question(meter(), (2, 123_456), 7, Relay::Trip, until).unwrap();
    let (frame, _) = dlt645::find(&question).unwrap();
    let expected = [
        0x02, 0x56, 0x34, 0x12, 0x07, 0, 0, 0, 0x1A, 0, 0x58, 0x59, 0x23, 0x22, 0x11, 0x26,
    ];
    assert_eq!(
        (frame.control, frame.data.as_slice()),
        (0x1C, expected.as_slice())
    );
    let everybody = dlt645::relay_question(Address::ANY, (2, 0), 0, Relay::Trip, until);
    assert!(matches!(everybody, Err(Error::Text(_))));
    let done = Frame::answer(meter(), Function::Relay, Vec::new(), false);
    assert_eq!(dlt645::relay_answer(meter(), &done), Ok(()));
    let refused = dlt645::relay_answer(meter(), &Frame::refusal(meter(), Function::Relay, 4));
    assert!(matches!(refused, Err(Error::Refused { code: 4, .. })));
}
