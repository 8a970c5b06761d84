//! CJ/T 188 beyond the published frames: both orders of the data id, heat meters, valves, refusals.
#![allow(missing_docs)]

use meter_protocols::cjt188::{
    self, Address, Answer, Fen, IdOrder, MeterType, Quantity, Question, Reading, Topic, Valve,
    ValveOrder,
};
use meter_protocols::{Error, LocalTime, Unit};

fn question(meter_type: MeterType, topic: Topic) -> Question {
    Question {
        meter_type,
        address: "78331505104145".parse().unwrap(),
        order: IdOrder::HighFirst,
        serial: 9,
        topic,
    }
}

fn reading(question: &Question, said: &[u8]) -> Result<Reading, Error> {
    let frame = question.frame().answered(question.address, said);
    let (frame, _) = cjt188::find(&frame.to_bytes(3))?;
    match question.answer(&frame)? {
        Answer::Reading(reading) => Ok(reading),
        other => panic!("{other:?}"),
    }
}

const WATER: [u8; 19] = [
    0x00, 0x23, 0x01, 0x00, 0x2C, 0x00, 0x20, 0x01, 0x00, 0x2C, 0x30, 0x15, 0x08, 0x22, 0x11, 0x26,
    0x20, 0x05, 0x00,
];

#[test]
fn both_orders_of_the_data_id_are_taken() {
    let asked = question(MeterType::COLD_WATER, Topic::Reading);
    for order in [IdOrder::HighFirst, IdOrder::LowFirst] {
        let said = Question { order, ..asked }
            .frame()
            .answered(asked.address, &WATER);
        assert!(
            matches!(asked.answer(&said), Ok(Answer::Reading(_))),
            "{order:?}"
        );
    }
    let mut other = asked.frame().answered(asked.address, &WATER);
    other.data[0] = 0x91;
    assert_eq!(
        asked.answer(&other),
        Err(Error::OtherQuestion("the data id"))
    );
    let late = Question { serial: 8, ..asked }
        .frame()
        .answered(asked.address, &WATER);
    assert_eq!(
        asked.answer(&late),
        Err(Error::OtherQuestion("the serial number"))
    );
}

#[test]
fn a_reading_has_the_clock_and_the_status() {
    let said = reading(&question(MeterType::COLD_WATER, Topic::Reading), &WATER).unwrap();
    assert_eq!(said.clock, LocalTime::new((2026, 11, 22), (8, 15, 30)));
    assert_eq!(said.status.valve, Valve::Closed);
    assert!(said.status.battery_low);
}

#[test]
fn units_are_what_their_codes_say() {
    for (code, milli, unit) in [
        (0x29, 123, Unit::CubicMetre),
        (0x2C, 123_000, Unit::CubicMetre),
        (0x05, 123_000, Unit::KilowattHour),
        (0x0E, 34_167, Unit::KilowattHour),
        (0x11, 34_166_667, Unit::KilowattHour),
    ] {
        let mut said = WATER;
        said[4] = code;
        let reading = reading(&question(MeterType::COLD_WATER, Topic::Reading), &said).unwrap();
        let amount = reading.values[0].amount.unwrap();
        assert_eq!((amount.milli, amount.unit), (milli, unit), "{code:02X}");
    }
    let mut unknown = WATER;
    unknown[4] = 0x77;
    let refused = reading(&question(MeterType::COLD_WATER, Topic::Reading), &unknown);
    assert!(matches!(refused, Err(Error::Unknown { what: "unit", .. })));
}

#[test]
fn a_heat_meter_says_heat_flow_and_temperatures() {
    let said = [
        0x00, 0x10, 0x00, 0x00, 0x05, // settlement 10.00 kWh
        0x34, 0x12, 0x00, 0x00, 0x05, // now 12.34 kWh
        0x50, 0x01, 0x00, 0x00, 0x17, // 1.50 kW
        0x00, 0x50, 0x00, 0x00, 0x35, // 0.5000 m3/h
        0x78, 0x56, 0x00, 0x00, 0x2C, // 56.78 m3
        0x25, 0x60, 0x00, // 60.25
        0xFF, 0xFF, 0xFF, // absent
        0x10, 0x00, 0x00, // 10 h
        0x30, 0x15, 0x08, 0x22, 0x11, 0x26, 0x20, 0x00, 0x00,
    ];
    let asked = question(MeterType::HEAT, Topic::Reading);
    let values = reading(&asked, &said).unwrap().values;
    let milli = |quantity| {
        let value = values
            .iter()
            .find(|value| value.quantity == quantity)
            .unwrap();
        value.amount.map(|amount| amount.milli)
    };
    assert_eq!(milli(Quantity::Settlement), Some(10_000));
    assert_eq!(milli(Quantity::Current), Some(12_340));
    assert_eq!(milli(Quantity::Power), Some(1_500_000));
    assert_eq!(milli(Quantity::Flow), Some(500));
    assert_eq!(milli(Quantity::Volume), Some(56_780));
    assert_eq!(milli(Quantity::SupplyTemperature), Some(60_250));
    assert_eq!(milli(Quantity::ReturnTemperature), None);
    assert_eq!(milli(Quantity::WorkingTime), Some(36_000_000));
    let cut = reading(&asked, &said[..40]);
    assert!(matches!(cut, Err(Error::Truncated { .. })));
}

#[test]
fn a_valve_says_how_it_stands_and_a_refusal_is_one() {
    let asked = question(MeterType::GAS, Topic::Valve(ValveOrder::Open));
    let frame = asked.frame();
    assert_eq!(
        (frame.control, frame.data.as_slice()),
        (0x04, [0xA0, 0x17, 9, 0x55].as_slice())
    );
    let Ok(Answer::Valve(status)) = asked.answer(&frame.answered(asked.address, &[0x03, 0x00]))
    else {
        panic!("the valve answered")
    };
    assert_eq!(status.valve, Valve::Faulty);
    let refused = frame.refused(asked.address, [0x04, 0x00]);
    assert_eq!(refused.control, 0xC4);
    assert!(matches!(
        asked.answer(&refused),
        Err(Error::Refused { code: 4, .. })
    ));
}

#[test]
fn another_meter_and_another_sort_are_foreign() {
    let asked = question(MeterType::COLD_WATER, Topic::Reading);
    let mut frame = asked
        .frame()
        .answered("78331505104146".parse().unwrap(), &WATER);
    assert!(matches!(
        asked.answer(&frame),
        Err(Error::ForeignAddress { .. })
    ));
    frame.address = asked.address;
    frame.meter_type = MeterType::HOT_WATER;
    assert!(matches!(
        asked.answer(&frame),
        Err(Error::ForeignAddress { .. })
    ));
    let any = Question {
        address: Address::ANY,
        meter_type: MeterType::ANY,
        ..asked
    };
    assert!(matches!(any.answer(&frame), Ok(Answer::Reading(_))));
}

#[test]
fn history_and_address_are_asked_for() {
    let asked = question(MeterType::COLD_WATER, Topic::History(2));
    assert_eq!(asked.frame().data, [0xD1, 0x21, 9]);
    let Ok(Answer::History(value)) = asked.answer(&asked.frame().answered(asked.address, &WATER))
    else {
        panic!("there is a history")
    };
    assert_eq!(
        (value.quantity, value.amount.unwrap().milli),
        (Quantity::Settlement, 123_000)
    );
    let who = Question {
        address: Address::ANY,
        ..question(MeterType::ANY, Topic::Address)
    };
    assert_eq!(
        (who.frame().control, who.frame().data),
        (0x03, vec![0x81, 0x0A, 9])
    );
    let told = who.frame().answered(asked.address, &[]);
    assert_eq!(who.answer(&told), Ok(Answer::Address(asked.address)));
}

#[test]
fn a_wrong_checksum_is_named() {
    let mut bytes = question(MeterType::COLD_WATER, Topic::Reading)
        .frame()
        .to_bytes(0);
    let place = bytes.len() - 2;
    bytes[place] ^= 1;
    assert!(matches!(cjt188::find(&bytes), Err(Error::Checksum { .. })));
}

#[test]
fn a_purchase_is_read_and_the_next_one_is_taken_by_its_number() {
    let asked = question(MeterType::COLD_WATER, Topic::Purchase);
    assert_eq!(asked.frame().data, [0x81, 0x05, 9]);
    let kept = [
        7, 0x00, 0x50, 0, 0, 0x34, 0x12, 0, 0, 0x56, 0x01, 0, 0, 0, 0,
    ];
    let Ok(Answer::Purchase(purchase)) =
        asked.answer(&asked.frame().answered(asked.address, &kept))
    else {
        panic!("it tells its purchases")
    };
    assert_eq!(
        (
            purchase.number,
            purchase.amount_fen,
            purchase.total_fen,
            purchase.left_fen
        ),
        (7, 5_000, 1_234, 156)
    );
    let amount = Fen::new(12_345_678).unwrap();
    let told = question(MeterType::COLD_WATER, Topic::Recharge { number: 8, amount });
    assert_eq!(
        (told.frame().control, told.frame().data),
        (0x04, vec![0xA0, 0x13, 9, 8, 0x78, 0x56, 0x34, 0x12])
    );
    let taken = told
        .frame()
        .answered(told.address, &[8, 0x78, 0x56, 0x34, 0x12]);
    assert_eq!(told.answer(&taken), Ok(Answer::Recharged));
    for other in [[9, 0x78, 0x56, 0x34, 0x12], [8, 0x79, 0x56, 0x34, 0x12]] {
        let other = told.frame().answered(told.address, &other);
        assert!(
            told.answer(&other)
                .is_err_and(|error| error.is_worth_waiting())
        );
    }
    for amount in [-1, 100_000_000] {
        assert_eq!(Fen::new(amount), Err(Error::OutOfRange));
    }
}
