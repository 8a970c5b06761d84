//! Rows of people with what binds them.

use chrono::NaiveDate;
use kernel::{Phone, Timestamp, Zone};
use wire::event::BindingRole;

use super::{Cells, Column, Faults, Kind, Sheet, arrange, fault, note_duplicates};
use crate::domain::{Name, Note, place_key};

pub(super) const COLUMNS: &[Column] = &[
    Column {
        name: "room",
        chinese: "房屋",
        others: &["房号", "房屋地址"],
        required: true,
    },
    Column {
        name: "name",
        chinese: "姓名",
        others: &["业主姓名"],
        required: true,
    },
    Column {
        name: "phone",
        chinese: "手机号",
        others: &["手机", "电话", "联系电话"],
        required: false,
    },
    Column {
        name: "role",
        chinese: "身份",
        others: &["角色", "关系"],
        required: true,
    },
    Column {
        name: "from",
        chinese: "起始日期",
        others: &["开始日期", "入住日期"],
        required: false,
    },
    Column {
        name: "until",
        chinese: "截止日期",
        others: &["结束日期", "到期日期"],
        required: false,
    },
    Column {
        name: "company",
        chinese: "单位",
        others: &["工作单位", "公司"],
        required: false,
    },
    Column {
        name: "notes",
        chinese: "备注",
        others: &["note"],
        required: false,
    },
];

/// The dates of a binding, in the community's zone; the last one is the last day on which it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dates {
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub until: Option<NaiveDate>,
}

impl Dates {
    /// The moments in that zone; what has no first day starts at `now`.
    #[must_use]
    pub fn moments(self, zone: Zone, now: Timestamp) -> (Timestamp, Option<Timestamp>) {
        let from = self.from.map_or(now, |date| zone.moment(date, 0));
        (from, self.until.map(|date| zone.moment(date, 1_440)))
    }

    /// The dates of moments.
    #[must_use]
    pub fn of(zone: Zone, from: Timestamp, until: Option<Timestamp>) -> Self {
        Self {
            from: Some(zone.local(from).date),
            until: until.map(|until| zone.local(until.plus_millis(-1)).date),
        }
    }

    /// Whether a file that says these dates means what is there: what it leaves open is as it is.
    #[must_use]
    pub fn agree(self, present: Self) -> bool {
        self.from.is_none_or(|from| present.from == Some(from))
            && (self.until.is_none() || self.until == present.until)
    }
}

/// The roles that stand in files, with the word of the property office.
const ROLES: [(BindingRole, &str); 3] = [
    (BindingRole::Owner, "业主"),
    (BindingRole::Tenant, "租户"),
    (BindingRole::Family, "家属"),
];

/// The word of the property office for a role.
#[must_use]
pub fn role_word(role: BindingRole) -> &'static str {
    let found = ROLES.into_iter().find(|(known, _)| *known == role);
    found.map_or("物业员工", |(_, word)| word)
}

/// A person as a row says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResidentRow {
    /// The row in the file.
    pub row: u32,
    /// Where the person lives, as it is written.
    pub place: String,
    /// The person.
    pub name: Name,
    /// The number.
    pub phone: Option<Phone>,
    /// As what the person is bound.
    pub role: BindingRole,
    /// When.
    pub dates: Dates,
    /// Where the person works.
    pub company: Option<Name>,
    /// What the property office writes down.
    pub notes: Option<Note>,
}

/// The people of a sheet, those without a fault, and the faults.
#[must_use]
pub fn resident_rows(sheet: &Sheet) -> (Vec<ResidentRow>, Faults) {
    let cells = match arrange(Kind::Residents, sheet) {
        Ok(cells) => cells,
        Err(faults) => return (vec![], faults),
    };
    let mut faults = Faults::default();
    let mut rows: Vec<ResidentRow> = cells
        .iter()
        .filter_map(|cells| resident_row(cells, &mut faults))
        .collect();
    note_duplicates(&rows, &mut faults, |row| {
        let who = row.phone.as_ref().map_or(row.name.as_str(), Phone::as_str);
        Some((row.row, "房屋", format!("{}/{who}", place_key(&row.place))))
    });
    note_names(&rows, &mut faults);
    rows.retain(|row| !faults.is_in(row.row));
    (rows, faults)
}

/// One number is one person: two names for it are a mistake in one of the rows.
fn note_names(rows: &[ResidentRow], faults: &mut Faults) {
    let mut names: std::collections::BTreeMap<&Phone, &ResidentRow> =
        std::collections::BTreeMap::new();
    for row in rows {
        let Some(phone) = &row.phone else { continue };
        let first = names.entry(phone).or_insert(row);
        if first.name != row.name {
            faults.add(fault(
                row.row,
                "手机号",
                "phone_of_another",
                (
                    format!(
                        "Row {} gives this number to another name. Correct one of the two.",
                        first.row
                    ),
                    format!(
                        "该手机号与第 {} 行的姓名不一致，请更正其中一行。",
                        first.row
                    ),
                ),
            ));
        }
    }
}

fn resident_row(cells: &Cells<'_>, faults: &mut Faults) -> Option<ResidentRow> {
    let text = ("write 1 to 100 characters", "请填写 1 到 100 个字符");
    let place = cells.need(
        "room",
        faults,
        ("write 1-1-101", "请填写如 1-1-101"),
        |text| (!place_key(text).is_empty()).then(|| text.to_owned()),
    );
    let name = cells.need("name", faults, text, |text| Name::parse(text).ok());
    let number = (
        "write 13800138000 or +8613800138000",
        "请填写如 13800138000 的手机号",
    );
    let phone = cells.take("phone", faults, number, |text| Phone::parse(text).ok());
    let roles = ("write 业主, 租户 or 家属", "请填写业主、租户或家属");
    let role = cells.need("role", faults, roles, |text| {
        let found = ROLES
            .into_iter()
            .find(|(role, word)| role.as_str() == text || *word == text);
        found.map(|(role, _)| role)
    });
    let day = (
        "write a date such as 2026-03-01",
        "请填写如 2026-03-01 的日期",
    );
    let from = cells.take("from", faults, day, parse_date);
    let until = cells.take("until", faults, day, parse_date);
    if let (Some(from), Some(until)) = (from, until)
        && until < from
    {
        faults.add(fault(
            cells.number,
            cells.header("until"),
            "term_invalid",
            (
                "It must not end before it starts.",
                "截止日期不能早于起始日期。",
            ),
        ));
    }
    let company = cells.take("company", faults, text, |text| Name::parse(text).ok());
    let long = ("write 1 to 200 characters", "请填写 1 到 200 个字符");
    let notes = cells.take("notes", faults, long, |text| Note::parse(text).ok());
    Some(ResidentRow {
        row: cells.number,
        place: place?,
        name: name?,
        phone,
        role: role?,
        dates: Dates { from, until },
        company,
        notes,
    })
}

/// A date as people and spreadsheets write it: `2026-03-01`, `2026/3/1`, `2026年3月1日`, or a spreadsheet's day number.
fn parse_date(text: &str) -> Option<NaiveDate> {
    let plain = text
        .trim_end_matches('日')
        .replace(['/', '.', '年', '月'], "-");
    let parts: Vec<&str> = plain.split('-').map(str::trim).collect();
    match parts.as_slice() {
        [year, month, day] if year.len() == 4 => {
            NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
        }
        // Days since the last of 1899; between 1954 and 2119, so that no other number passes for a date.
        [days] => {
            let days: u64 = days
                .parse()
                .ok()
                .filter(|days| (20_000..80_000).contains(days))?;
            NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_days(chrono::Days::new(days))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_as_people_write_it() {
        let expected = NaiveDate::from_ymd_opt(2026, 3, 1);
        for text in [
            "2026-03-01",
            "2026/3/1",
            "2026年3月1日",
            "2026.03.01",
            "46082",
        ] {
            assert_eq!(parse_date(text), expected, "{text}");
        }
        for text in [
            "",
            "2026-13-01",
            "2026-02-30",
            "26-3-1",
            "7",
            "明天",
            "2026-3",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn the_last_day_is_a_day_on_which_it_holds() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 1);
        let dates = Dates {
            from: day,
            until: day,
        };
        let (from, until) = dates.moments(Zone::SHANGHAI, Timestamp::EPOCH);
        assert_eq!(
            until.map(|until| until.millis_since(from)),
            Some(86_400_000)
        );
        assert_eq!(Dates::of(Zone::SHANGHAI, from, until), dates);
        assert!(Dates::default().agree(dates));
    }
}
