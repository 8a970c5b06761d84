//! Modbus beyond the published frames: word orders, types, profiles, exceptions, late answers.
#![allow(missing_docs)]

use meter_protocols::modbus::{Answer, Profile, Question, crc, rtu, tcp};
use meter_protocols::{Error, Unit};

fn one(form: &str, words: &str, rest: &str) -> Result<Profile, Error> {
    Profile::parse(&format!(
        "name = \"x\"\nfunction = \"holding\"\n[[registers]]\nname = \"v\"\naddress = 16\ntype = {form:?}\n\
         words = {words:?}\n{rest}\n"
    ))
}

fn read(form: &str, words: &str, registers: &[u16]) -> Result<Option<i64>, Error> {
    let profile = one(form, words, "scale = \"1\"\nunit = \"1\"")?;
    let spans = profile.spans();
    let values = profile.decode(&spans[0], registers)?;
    Ok(values[0].1.map(|amount| amount.milli))
}

#[test]
fn the_crc_is_the_published_one() {
    assert_eq!(
        crc(&[0x01, 0x04, 0x00, 0x00, 0x00, 0x02]).to_le_bytes(),
        [0x71, 0xCB]
    );
    assert_eq!(crc(b"123456789"), 0x4B37);
}

#[test]
fn every_order_of_bytes_is_the_same_number() {
    for (words, registers) in [
        ("big", [0x0001, 0xE240]),
        ("word-swapped", [0xE240, 0x0001]),
        ("byte-swapped", [0x0100, 0x40E2]),
        ("little", [0x40E2, 0x0100]),
    ] {
        assert_eq!(
            read("u32", words, &registers),
            Ok(Some(123_456_000)),
            "{words}"
        );
    }
    let swapped = read("f32", "word-swapped", &[0x5000, 0x449A]);
    assert_eq!(swapped, Ok(Some(1_234_500)));
}

#[test]
fn every_type_is_read_with_its_sign() {
    for (form, registers, milli) in [
        ("u16", vec![0xFFFF], Some(65_535_000)),
        ("i16", vec![0xFFFF], Some(-1_000)),
        ("i32", vec![0xFFFF, 0xFFFE], Some(-2_000)),
        ("u64", vec![0, 0, 1, 0], Some(65_536_000)),
        ("i64", vec![0xFFFF, 0xFFFF, 0xFFFF, 0xFFFD], Some(-3_000)),
        ("f64", vec![0x4093, 0x4A45, 0x6D5C, 0xFAAD], Some(1_234_568)),
        ("f32", vec![0x7FC0, 0x0000], None),
        ("bcd16", vec![0x1234], Some(1_234_000)),
        ("bcd32", vec![0x0012, 0x3456], Some(123_456_000)),
        ("bcd32", vec![0xFFFF, 0xFFFF], None),
    ] {
        assert_eq!(read(form, "big", &registers), Ok(milli), "{form}");
    }
    assert_eq!(
        read("bcd16", "big", &[0x12A4]),
        Err(Error::NotDecimal(0xA4))
    );
    assert_eq!(read("u64", "big", &[0xFFFF; 4]), Err(Error::OutOfRange));
    assert_eq!(
        read("u32", "big", &[1]),
        Err(Error::Truncated { missing: 2 })
    );
}

#[test]
fn the_heat_example_scales_and_knows_what_is_absent() {
    let profile = Profile::parse(Profile::HEAT_EXAMPLE).unwrap();
    let spans = profile.spans();
    assert_eq!(spans.len(), 1, "registers that touch are read at once");
    assert_eq!(spans[0].question, Question::Holding { start: 0, count: 7 });
    let values = profile
        .decode(&spans[0], &[360, 0, 0x86A0, 0x0001, 250, 6_025, 0x8000])
        .unwrap();
    let milli: Vec<_> = values
        .iter()
        .map(|(name, amount)| (*name, amount.map(|amount| amount.milli)))
        .collect();
    assert_eq!(
        milli,
        [
            ("total", Some(1_000_000)),
            ("volume", Some(100_000)),
            ("flow", Some(250)),
            ("supply_temperature", Some(60_250)),
            ("return_temperature", None),
        ]
    );
    assert_eq!(values[0].1.unwrap().unit, Unit::KilowattHour);
}

#[test]
fn the_eastron_profile_asks_for_what_touches_at_once() {
    let profile = Profile::parse(Profile::EASTRON_SDM).unwrap();
    let asked: Vec<_> = profile
        .spans()
        .into_iter()
        .map(|span| span.question)
        .collect();
    let input = |start, count| Question::Input { start, count };
    assert_eq!(
        asked,
        [input(0, 2), input(0x0C, 2), input(0x48, 4), input(0x156, 2)]
    );
    assert_eq!(profile.names().count(), 5);
}

#[test]
fn a_profile_that_cannot_be_is_refused_by_its_register() {
    for (form, rest, named) in [
        ("u16", "scale = \"1e3\"\nunit = \"kWh\"", "1e3"),
        ("u16", "scale = \"\"\nunit = \"kWh\"", "no decimal number"),
        ("u16", "scale = \"1\"\nunit = \"furlong\"", "furlong"),
        ("u99", "scale = \"1\"\nunit = \"kWh\"", "u99"),
        (
            "u32",
            "scale = \"1\"\nunit = \"kWh\"\nabsent = [1]",
            "2 registers",
        ),
        ("u32", "scale = \"1\"\nunit = \"kWh\"\nspeed = 1", "speed"),
    ] {
        let sentence = one(form, "big", rest).unwrap_err().to_string();
        assert!(sentence.contains(named), "{sentence}");
    }
    assert!(Profile::parse("name = \"x\"\nfunction = \"input\"\nregisters = []").is_err());
}

#[test]
fn an_answer_of_another_unit_function_length_or_transaction_is_refused() {
    let asked = Question::Input { start: 0, count: 2 };
    let body = [0x04, 4, 0x43, 0x66, 0x33, 0x34];
    let answer = Ok((Answer::Registers(vec![0x4366, 0x3334]), 9));
    assert_eq!(asked.rtu_answer(1, &rtu(1, &body)), answer);
    let foreign = asked.rtu_answer(1, &rtu(2, &body));
    assert!(
        matches!(foreign, Err(Error::ForeignAddress { .. })),
        "{foreign:?}"
    );
    let other = asked.rtu_answer(1, &rtu(1, &[0x03, 4, 0, 0, 0, 0]));
    assert!(matches!(other, Err(Error::OtherQuestion(_))), "{other:?}");
    let short = asked.rtu_answer(1, &rtu(1, &[0x04, 2, 0, 0]));
    assert_eq!(short, Err(Error::OtherQuestion("the number of values")));
    let late = asked.tcp_answer(8, 1, &tcp(7, 1, &body));
    assert_eq!(late, Err(Error::OtherQuestion("the transaction")));
    let mut wrong = rtu(1, &body);
    wrong[8] ^= 1;
    assert!(matches!(
        asked.rtu_answer(1, &wrong),
        Err(Error::Checksum { .. })
    ));
    let cut = asked.rtu_answer(1, &rtu(1, &body)[..7]);
    assert!(matches!(cut, Err(Error::Truncated { .. })));
    let cut = asked.tcp_answer(7, 1, &tcp(7, 1, &body)[..7]);
    assert!(matches!(cut, Err(Error::Truncated { .. })));
}

#[test]
fn exceptions_over_tcp_name_their_code() {
    let asked = Question::Holding { start: 0, count: 2 };
    let refused = asked.tcp_answer(7, 1, &tcp(7, 1, &[0x83, 6]));
    let meaning = "it is busy";
    assert_eq!(refused, Err(Error::Refused { code: 6, meaning }));
}

#[test]
fn a_coil_is_switched_when_the_unit_repeats_the_question() {
    let asked = Question::SwitchCoil { coil: 3, on: true };
    assert_eq!(asked.body(), [0x05, 0, 3, 0xFF, 0]);
    assert_eq!(
        asked.rtu_answer(1, &asked.to_rtu(1)),
        Ok((Answer::Written, 8))
    );
    let other = Question::SwitchCoil { coil: 3, on: false };
    assert!(asked.rtu_answer(1, &other.to_rtu(1)).is_err());
    let coils = Question::Coils { start: 0, count: 9 };
    let bits = coils.answer(&[0x01, 2, 0b0000_0101, 1]).unwrap();
    let on = [true, false, true, false, false, false, false, false, true];
    assert_eq!(bits, Answer::Bits(on.to_vec()));
}
