//! Wired M-Bus beyond the published frame: every form of number, scaling, headers, identities.
#![allow(missing_docs)]

use meter_protocols::mbus::{
    self, Application, Frame, Function, Identity, Quantity, Record, Value,
};
use meter_protocols::{Amount, Error, LocalTime, Unit};

const HEADER: [u8; 12] = [
    0x07, 0x20, 0x18, 0x00, 0xE6, 0x1E, 0x35, 0x07, 0x4C, 0x00, 0x00, 0x00,
];

fn said(records: &[u8]) -> Result<Application, Error> {
    said_with(HEADER, records)
}

fn said_with(header: [u8; 12], records: &[u8]) -> Result<Application, Error> {
    let frame = Frame::answer(5, 0x72, [&header, records].concat());
    let (frame, _) = mbus::find_long(&frame.to_bytes())?;
    frame.application(5)
}

fn record(bytes: &[u8]) -> Record {
    let said = said(bytes).unwrap();
    assert_eq!(said.records.len(), 1, "{said:?}");
    said.records[0].clone()
}

fn amount(milli: i64, unit: Unit) -> Value {
    Value::Amount(Amount { milli, unit })
}

#[test]
fn questions_are_written_as_they_should_be() {
    assert_eq!(
        Frame::initialise(1).to_bytes(),
        [0x10, 0x40, 0x01, 0x41, 0x16]
    );
    assert_eq!(
        Frame::ask(1, false).to_bytes(),
        [0x10, 0x5B, 0x01, 0x5C, 0x16]
    );
    assert_eq!(
        Frame::ask(1, true).to_bytes(),
        [0x10, 0x7B, 0x01, 0x7C, 0x16]
    );
    let selected = Frame::select(&"12345678".parse().unwrap()).to_bytes();
    let expected = [
        0x68, 0x0B, 0x0B, 0x68, 0x53, 0xFD, 0x52, 0x78, 0x56, 0x34, 0x12, 0xFF, 0xFF, 0xFF, 0xFF,
        0xB2, 0x16,
    ];
    assert_eq!(selected, expected);
    assert_eq!(mbus::find(&[0xE5]), Ok((Frame::Acknowledged, 1)));
}

#[test]
fn every_form_of_number_is_read() {
    for (bytes, milli) in [
        (vec![0x01, 0x13, 0x7F], 127),
        (vec![0x01, 0x13, 0xFF], -1),
        (vec![0x02, 0x13, 0x10, 0x27], 10_000),
        (vec![0x03, 0x13, 0xFF, 0xFF, 0xFF], -1),
        (vec![0x04, 0x13, 0x40, 0xE2, 0x01, 0x00], 123_456),
        (vec![0x05, 0x16, 0x34, 0x33, 0x66, 0x43], 230_200),
        (vec![0x06, 0x13, 0x40, 0xE2, 0x01, 0, 0, 0], 123_456),
        (vec![0x07, 0x13, 0x40, 0xE2, 0x01, 0, 0, 0, 0, 0], 123_456),
        (vec![0x09, 0x13, 0x42], 42),
        (vec![0x0A, 0x13, 0x34, 0x12], 1_234),
        (vec![0x0B, 0x13, 0x56, 0x34, 0x12], 123_456),
        (vec![0x0C, 0x13, 0x56, 0x34, 0x12, 0xF0], -123_456),
        (vec![0x0C, 0x13, 0x01, 0x00, 0x00, 0x00], 1),
        (vec![0x0E, 0x13, 0x56, 0x34, 0x12, 0, 0, 0], 123_456),
        (vec![0x0D, 0x13, 0xC3, 0x56, 0x34, 0x12], 123_456),
        (vec![0x0D, 0x13, 0xD3, 0x56, 0x34, 0x12], -123_456),
        (vec![0x0D, 0x13, 0xE2, 0x10, 0x27], 10_000),
    ] {
        let value = record(&bytes).value;
        assert_eq!(value, amount(milli, Unit::CubicMetre), "{bytes:02X?}");
    }
}

#[test]
fn what_a_slave_does_not_have_is_absent() {
    for bytes in [
        vec![0x00, 0x13],
        vec![0x0C, 0x13, 0xFF, 0xFF, 0xFF, 0xFF],
        vec![0x0C, 0x13, 0xBB, 0xBB, 0xBB, 0xBB],
        vec![0x04, 0x13, 0x00, 0x00, 0x00, 0x80],
        vec![0x05, 0x13, 0x00, 0x00, 0xC0, 0x7F],
        vec![0x04, 0x93, 0x15, 0x01, 0x00, 0x00, 0x00],
        vec![0x02, 0x6C, 0x00, 0x00],
        vec![0x04, 0x6D, 0x80, 0x00, 0x76, 0x3B],
    ] {
        assert_eq!(record(&bytes).value, Value::Absent, "{bytes:02X?}");
    }
    let overflow = record(&[0x07, 0x07, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]);
    assert_eq!(overflow.value, Value::OutOfRange);
}

/// A thousand steps of that value information are so much.
fn scales(vif: &[u8], quantity: Quantity, milli: i64, unit: Unit) {
    let record = record(&[&[0x02], vif, &[0xE8, 0x03]].concat());
    assert_eq!(record.quantity, quantity, "{vif:02X?}");
    assert_eq!(record.value, amount(milli, unit), "{vif:02X?}");
}

#[test]
fn the_codes_scale_as_the_standard_says() {
    use Quantity::*;
    use Unit::*;
    scales(&[0x03], Energy, 1_000, KilowattHour);
    scales(&[0x06], Energy, 1_000_000, KilowattHour);
    scales(&[0x0E], Energy, 277_778, KilowattHour);
    scales(&[0x10], Volume, 1, CubicMetre);
    scales(&[0x14], Volume, 10_000, CubicMetre);
    scales(&[0x1B], Mass, 1_000_000, Kilogram);
    scales(&[0x22], OnTime, 3_600_000_000, Second);
    scales(&[0x27], OperatingTime, 86_400_000_000, Second);
    scales(&[0x2B], Power, 1_000_000, Watt);
    scales(&[0x33], Power, 277_778, Watt);
    scales(&[0x3B], VolumeFlow, 1_000, CubicMetrePerHour);
    scales(&[0x43], VolumeFlow, 6_000, CubicMetrePerHour);
    scales(&[0x4B], VolumeFlow, 3_600, CubicMetrePerHour);
    scales(&[0x53], MassFlow, 1_000_000, KilogramPerHour);
    scales(&[0x59], FlowTemperature, 10_000, DegreeCelsius);
    scales(&[0x5E], ReturnTemperature, 100_000, DegreeCelsius);
    scales(&[0x62], TemperatureDifference, 100_000, Kelvin);
    scales(&[0x67], ExternalTemperature, 1_000_000, DegreeCelsius);
    scales(&[0x6A], Pressure, 100_000, Bar);
    scales(&[0xFB, 0x00], Energy, 100_000_000, KilowattHour);
    scales(&[0xFB, 0x09], Energy, 277_777_778, KilowattHour);
    scales(&[0xFB, 0x03], ReactiveEnergy, 10_000_000, KilovarHour);
    scales(&[0xFB, 0x11], Volume, 1_000_000_000, CubicMetre);
    scales(&[0xFD, 0x48], Voltage, 100_000, Volt);
    scales(&[0xFD, 0x59], Current, 1_000, Ampere);
    scales(&[0x93, 0x75], Volume, 100, CubicMetre);
    scales(&[0x93, 0x7D], Volume, 1_000_000, CubicMetre);
    scales(&[0x96, 0x7B], Volume, 1_001_000, CubicMetre);
    scales(&[0x93, 0x3B], Volume, 1_000, CubicMetre);
}

#[test]
fn a_qualifier_that_changes_what_is_meant_makes_it_something_else() {
    // The rate per hour of a volume is no volume.
    assert_eq!(record(&[0x02, 0x93, 0x22, 1, 0]).quantity, Quantity::Other);
    let backward = record(&[0x02, 0x93, 0x3C, 0xE8, 0x03]);
    let volume = Amount {
        milli: 1_000,
        unit: Unit::CubicMetre,
    };
    assert_eq!(backward.value, Value::Backward(volume));
    assert_eq!(record(&[0x02, 0x7F, 1, 0]).value, Value::Number(1));
}

#[test]
fn storage_tariff_subunit_and_function_are_told() {
    let now = record(&[0x0C, 0x13, 1, 0, 0, 0]);
    assert_eq!((now.storage, now.tariff, now.subunit), (0, 0, 0));
    let past = record(&[0x4C, 0x13, 1, 0, 0, 0]);
    assert_eq!(past.storage, 1);
    let far = record(&[0xCC, 0xD1, 0x12, 0x13, 1, 0, 0, 0]);
    assert_eq!(
        (far.storage, far.tariff, far.subunit),
        (1 + 2 + (2 << 5), 5, 1)
    );
    let maximum = record(&[0x12, 0x3B, 1, 0]);
    assert_eq!(
        (maximum.function, maximum.quantity),
        (Function::Maximum, Quantity::VolumeFlow)
    );
}

#[test]
fn texts_moments_fillers_and_the_makers_own_are_passed() {
    let text = record(&[
        0x2F, 0x0D, 0x7C, 0x03, b'Z', b'H', b'W', 0x03, b'c', b'b', b'a', 0x2F,
    ]);
    assert_eq!(text.value, Value::Text("abc".into()));
    let moment = record(&[0x04, 0x6D, 0x1E, 0x17, 0x56, 0x3B]);
    assert_eq!(
        moment.value,
        Value::Moment(LocalTime::new((2026, 11, 22), (23, 30, 0)).unwrap())
    );
    let date = record(&[0x02, 0x6C, 0x56, 0x3B]);
    assert_eq!(
        date.value,
        Value::Moment(LocalTime::new((2026, 11, 22), (0, 0, 0)).unwrap())
    );
    let own = said(&[0x01, 0x13, 1, 0x0F, 0xDE, 0xAD]).unwrap();
    assert_eq!((own.records.len(), own.more), (1, false));
    let more = said(&[0x01, 0x13, 1, 0x1F]).unwrap();
    assert_eq!((more.records.len(), more.more), (1, true));
    assert!(matches!(
        said(&[0x7F]),
        Err(Error::Unknown { what: "DIF", .. })
    ));
    assert!(matches!(
        said(&[0x04, 0x13, 1]),
        Err(Error::Truncated { missing: 3 })
    ));
}

#[test]
fn an_endless_chain_of_extensions_is_refused() {
    let difes = [[0x84].as_slice(), &[0x80; 12], &[0x13, 0, 0, 0, 0]].concat();
    assert_eq!(
        said(&difes),
        Err(Error::Malformed("a record has more than ten DIFEs"))
    );
    let vifes = [[0x04, 0x93].as_slice(), &[0xBB; 12], &[0x3B, 0, 0, 0, 0]].concat();
    assert_eq!(
        said(&vifes),
        Err(Error::Malformed("a record has more than ten VIFEs"))
    );
}

#[test]
fn an_identity_may_be_hexadecimal() {
    let mut header = HEADER;
    header[..4].copy_from_slice(&[0xEF, 0xCD, 0xAB, 0x12]);
    let said = said_with(header, &[0x01, 0x13, 1]).unwrap();
    let identity = said.header.identity.unwrap();
    assert_eq!(identity.printed(), "12ABCDEF");
    assert!("12ABCDEF".parse::<Identity>().unwrap().covers(&identity));
    assert!("12FFFFFF".parse::<Identity>().unwrap().covers(&identity));
    assert!(!"12345678".parse::<Identity>().unwrap().covers(&identity));
    assert!("123456789".parse::<Identity>().is_err() && "".parse::<Identity>().is_err());
    assert_eq!(mbus::manufacturer_code("GWF"), Some(0x1EE6));
    assert_eq!(mbus::manufacturer_code("gwf"), None);
}

#[test]
fn a_signature_alone_is_no_encryption() {
    let mut header = HEADER;
    for signature in [[0x34, 0x12], [0x01, 0x00], [0x00, 0x05], [0xFF, 0xFF]] {
        header[10..].copy_from_slice(&signature);
        assert!(
            said_with(header, &[0x01, 0x13, 1]).is_ok(),
            "{signature:02X?}"
        );
    }
    header[10..].copy_from_slice(&[0x20, 0x05]);
    assert_eq!(said_with(header, &[0x01, 0x13, 1]), Err(Error::Encrypted));
}

#[test]
fn other_headers_and_errors_are_read() {
    let application = |ci, data: &[u8]| Frame::answer(5, ci, data.to_vec()).application(5);
    let bare = application(0x78, &[0x01, 0x13, 1]).unwrap();
    assert_eq!((bare.header.identity, bare.records.len()), (None, 1));
    let short = application(0x7A, &[9, 0x04, 0, 0, 0x01, 0x13, 1]).unwrap();
    assert_eq!(
        (short.header.access, short.header.is_low_on_power()),
        (9, true)
    );
    let busy = application(0x70, &[8]);
    let meaning = "it is busy";
    assert_eq!(busy, Err(Error::Refused { code: 8, meaning }));
    assert!(matches!(application(0x33, &[]), Err(Error::Unknown { .. })));
    let foreign = Frame::answer(6, 0x78, vec![]).application(5);
    assert!(matches!(foreign, Err(Error::ForeignAddress { .. })));
    let selected = Frame::answer(6, 0x78, vec![]).application(mbus::SELECTED);
    assert!(selected.is_ok());
}

#[test]
fn the_fixed_structure_has_two_counters() {
    // Digits, 0.123 m3 by litres, the second counter the same at a day in the past.
    let digits = [
        0x78, 0x56, 0x34, 0x12, 0x0A, 0x00, 0xE9, 0x7E, 0x23, 0x01, 0x00, 0x00, 0x35, 0x01, 0x00,
        0x00,
    ];
    let said = Frame::answer(5, 0x73, digits.to_vec())
        .application(5)
        .unwrap();
    let identity = said.header.identity.unwrap();
    assert_eq!(
        (identity.printed(), identity.medium),
        ("12345678".to_owned(), 0b0111)
    );
    let values: Vec<_> = said
        .records
        .iter()
        .map(|record| (record.storage, record.value.clone()))
        .collect();
    assert_eq!(
        values,
        [
            (0, amount(123, Unit::CubicMetre)),
            (1, amount(135, Unit::CubicMetre))
        ]
    );
    // The same in binary, kWh and W.
    let mut binary = digits;
    binary[5] = 0x01;
    binary[6..8].copy_from_slice(&[0x05, 0x14]);
    let said = Frame::answer(5, 0x73, binary.to_vec())
        .application(5)
        .unwrap();
    assert_eq!(
        said.records[0].value,
        amount(0x123 * 1_000, Unit::KilowattHour)
    );
    assert_eq!(said.records[1].value, amount(0x135 * 1_000, Unit::Watt));
}

#[test]
fn a_wrong_checksum_length_or_end_is_named() {
    let right = Frame::answer(1, 0x78, vec![0x01, 0x13, 1]).to_bytes();
    let changed = |at: usize| {
        let mut wrong = right.clone();
        wrong[at] ^= 0x01;
        mbus::find_long(&wrong)
    };
    assert!(matches!(
        changed(right.len() - 2),
        Err(Error::Checksum { .. })
    ));
    assert_eq!(changed(2), Err(Error::Malformed("the two lengths differ")));
    assert_eq!(
        changed(right.len() - 1),
        Err(Error::Malformed("a frame ends with 16"))
    );
}
