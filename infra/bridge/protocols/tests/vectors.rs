//! Frames of real meters, byte for byte, with what they say.
#![allow(missing_docs)]

use meter_protocols::cjt188::{self, IdOrder, MeterType, Question, Topic, Valve, ValveOrder};
use meter_protocols::dlt645::{self, Address, DataId, Inquiry, Progress, Tariff};
use meter_protocols::mbus::{self, Value};
use meter_protocols::modbus::{self, Answer, Profile};
use meter_protocols::{Amount, Error, Unit};

fn hex(text: &str) -> Vec<u8> {
    let bytes = text.split_whitespace();
    bytes
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

fn kwh(milli: i64) -> Option<Amount> {
    amount(milli, Unit::KilowattHour)
}

fn amount(milli: i64, unit: Unit) -> Option<Amount> {
    Some(Amount { milli, unit })
}

/// Asks that meter for that id, and reads the answer's only value.
fn electricity(meter: &str, id: DataId, answer: &str) -> Result<Option<Amount>, Error> {
    let mut inquiry = Inquiry::new(meter.parse()?, id);
    let (frame, used) = dlt645::find(&hex(answer))?;
    assert_eq!(used, hex(answer).len());
    assert_eq!(inquiry.take(&frame)?, Progress::Done);
    let items = inquiry.items()?;
    assert_eq!(
        (items.len(), items[0].tariff == Tariff::Total),
        (1, id.0 >> 16 != 0x0201)
    );
    Ok(items[0].amount)
}

#[test]
fn dlt645_questions_are_written_as_they_should_be() {
    let address = hex("68 AA AA AA AA AA AA 68 13 00 DF 16");
    assert_eq!(dlt645::read_address(0), address);
    let read = Inquiry::new("111111111111".parse().unwrap(), DataId::COMBINED_TOTAL);
    let expected = hex("68 11 11 11 11 11 11 68 11 04 33 33 33 33 17 16");
    assert_eq!(read.question(0), expected);
    assert_eq!(read.question(4), [hex("FE FE FE FE"), expected].concat());
}

#[test]
fn dlt645_answers_are_what_the_meters_said() {
    for (meter, id, answer, expected) in [
        (
            "111111111111",
            DataId::COMBINED_TOTAL,
            "68 11 11 11 11 11 11 68 91 08 33 33 33 33 68 39 33 33 A2 16",
            kwh(6_350),
        ),
        (
            "910004920760",
            DataId::COMBINED_TOTAL,
            "68 60 07 92 04 00 91 68 91 08 33 33 33 33 97 35 A8 33 6A 16",
            kwh(7_502_640),
        ),
        (
            "223002000066",
            DataId::VOLTAGE_A,
            "68 66 00 00 02 30 22 68 91 06 33 34 34 35 83 56 CA 16",
            amount(235_000, Unit::Volt),
        ),
        (
            "201709320072",
            DataId::FORWARD_TOTAL,
            "68 72 00 32 09 17 20 68 91 08 33 33 34 33 B9 34 33 33 6D 16",
            kwh(1_860),
        ),
        (
            "121078563412",
            DataId::COMBINED_TOTAL,
            "68 12 34 56 78 10 12 68 91 08 33 33 33 33 83 83 33 33 D7 16",
            kwh(50_500),
        ),
    ] {
        assert_eq!(electricity(meter, id, answer), Ok(expected), "{answer}");
        assert_eq!(
            electricity("AAAAAAAAAAAA", id, answer),
            Ok(expected),
            "{answer}"
        );
    }
}

#[test]
fn dlt645_a_refusal_names_its_code() {
    let answer = "68 60 07 92 04 00 91 68 D1 01 37 67 16";
    let refused = electricity("910004920760", DataId::FORWARD_TOTAL, answer);
    assert_eq!(
        refused,
        Err(Error::Refused {
            code: 4,
            meaning: "wrong password or not authorised"
        })
    );
}

#[test]
fn dlt645_a_wrong_checksum_is_refused() {
    let wrong = hex("68 34 12 00 00 00 00 68 11 04 33 33 33 33 B2 16");
    let error = Error::Checksum {
        said: 0xB2,
        right: 0xF7,
    };
    assert_eq!(dlt645::find(&wrong), Err(error));
    let right = hex("68 34 12 00 00 00 00 68 11 04 33 33 33 33 F7 16");
    let (frame, _) = dlt645::find(&right).unwrap();
    assert_eq!(frame.address, "000000001234".parse::<Address>().unwrap());
}

fn water(meter_type: MeterType, address: &str, serial: u8, topic: Topic) -> Question {
    Question {
        meter_type,
        address: address.parse().unwrap(),
        order: IdOrder::HighFirst,
        serial,
        topic,
    }
}

#[test]
fn cjt188_a_water_meter_is_asked_and_says_its_volume() {
    let question = water(MeterType::COLD_WATER, "00000805000001", 0, Topic::Reading);
    let expected = hex("68 10 01 00 00 05 08 00 00 01 03 90 1F 00 39 16");
    assert_eq!(question.frame().to_bytes(0), expected);
    let answer = hex(
        "68 10 01 00 00 05 08 00 00 81 16 90 1F 00 00 23 01 00 2C 00 00 00 00 2C 00 00 00 00 00 00 00 00 00 48 16",
    );
    let (frame, used) = cjt188::find(&answer).unwrap();
    assert_eq!(used, answer.len());
    let Ok(cjt188::Answer::Reading(reading)) = question.answer(&frame) else {
        panic!("{:?}", question.answer(&frame))
    };
    assert_eq!(reading.values[0].quantity, cjt188::Quantity::Current);
    assert_eq!(reading.values[0].amount, amount(123_000, Unit::CubicMetre));
    assert_eq!(reading.values[1].amount, amount(0, Unit::CubicMetre));
    assert_eq!((reading.clock, reading.status.valve), (None, Valve::Open));
}

#[test]
fn cjt188_what_a_meter_does_not_have_is_absent() {
    let question = water(
        MeterType::COLD_WATER,
        "78331505104145",
        0xAA,
        Topic::Reading,
    );
    let answer = hex(
        "68 10 45 41 10 05 15 33 78 81 16 90 1F AA 00 59 59 00 2C FF FF FF FF 2C FF FF FF FF FF FF FF 00 00 C2 16",
    );
    let (frame, _) = cjt188::find(&answer).unwrap();
    let Ok(cjt188::Answer::Reading(reading)) = question.answer(&frame) else {
        panic!("{:?}", question.answer(&frame))
    };
    let amounts: Vec<_> = reading.values.iter().map(|value| value.amount).collect();
    assert_eq!(amounts, [amount(5_959_000, Unit::CubicMetre), None]);
    assert_eq!(reading.clock, None);
}

#[test]
fn cjt188_a_gas_valve_is_shut() {
    let topic = Topic::Valve(ValveOrder::Close);
    let question = Question {
        order: IdOrder::LowFirst,
        ..water(MeterType::GAS, "00000000000003", 1, topic)
    };
    let expected = hex("68 30 03 00 00 00 00 00 00 04 04 17 A0 01 99 F4 16");
    assert_eq!(question.frame().to_bytes(0), expected);
}

#[test]
fn modbus_an_eastron_is_read_through_its_profile() {
    let profile = Profile::parse(Profile::EASTRON_SDM).unwrap();
    for (question, written, answer, name, expected) in [
        (
            0x0000,
            "01 04 00 00 00 02 71 CB",
            "01 04 04 43 66 33 34 1B 38",
            "voltage",
            amount(230_200, Unit::Volt),
        ),
        (
            0x0156,
            "01 04 01 56 00 02 90 27",
            "01 04 04 44 9A 50 00 F3 5B",
            "combined",
            kwh(1_234_500),
        ),
    ] {
        let asked = modbus::Question::Input {
            start: question,
            count: 2,
        };
        assert_eq!(asked.to_rtu(1), hex(written));
        let spans = profile.spans();
        let span = spans.iter().find(|span| span.question == asked).unwrap();
        let Ok((Answer::Registers(registers), 9)) = asked.rtu_answer(1, &hex(answer)) else {
            panic!("{:?}", asked.rtu_answer(1, &hex(answer)))
        };
        let values = profile.decode(span, &registers).unwrap();
        assert_eq!(values, [(name, expected)]);
    }
}

#[test]
fn modbus_an_exception_names_its_code() {
    let asked = modbus::Question::Input { start: 0, count: 2 };
    assert_eq!(
        asked.rtu_answer(1, &hex("01 84 02 C2 C1")),
        Err(Error::Refused {
            code: 2,
            meaning: "it does not have these registers"
        })
    );
}

#[test]
fn mbus_a_water_meter_says_who_it_is_and_its_volume() {
    let answer = hex(
        "68 1B 1B 68 08 01 72 07 20 18 00 E6 1E 35 07 4C 00 00 00 0C 78 07 20 18 00 0C 16 69 02 00 00 96 16",
    );
    let (frame, used) = mbus::find_long(&answer).unwrap();
    assert_eq!(used, answer.len());
    let said = frame.application(1).unwrap();
    let identity = said.header.identity.unwrap();
    assert_eq!(identity.printed(), "182007");
    assert_eq!(mbus::manufacturer(identity.manufacturer), "GWF");
    assert_eq!((identity.version, identity.medium), (0x35, 0x07));
    assert_eq!(said.records[0].value, Value::Number(182_007));
    assert_eq!(said.records[1].quantity, mbus::Quantity::Volume);
    let volume = Amount {
        milli: 269_000,
        unit: Unit::CubicMetre,
    };
    assert_eq!(said.records[1].value, Value::Amount(volume));
    assert!(!said.more && !said.header.is_faulty());
}

#[test]
fn dlt645_a_question_is_none_of_the_answers() {
    let question = hex("68 11 11 11 11 11 11 68 11 04 33 33 33 33 17 16");
    let (frame, _) = dlt645::find(&question).unwrap();
    let mut inquiry = Inquiry::new(Address::ANY, DataId::COMBINED_TOTAL);
    assert!(matches!(inquiry.take(&frame), Err(Error::OtherQuestion(_))));
    assert_eq!(inquiry.items(), Err(Error::Truncated { missing: 1 }));
}
