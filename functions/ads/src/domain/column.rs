//! Columns (栏目): articles under one name, for an audience, some dates and a season that comes every year.

use chrono::{Datelike as _, NaiveDate};
use kernel::{
    ActorId, ActorKind, ArticleId, ColumnId, CommunityId, MerchantId, Message, Refusal, Timestamp,
};

use super::creative::own_review;
use super::placement::words;
use super::text::{Body, Name, Note, Reason};
use super::wish::{Targeting, Viewer};

words! {
    /// How the review of an article stands.
    ArticleState {
        /// Nobody has looked yet.
        Pending = "pending",
        /// It may be read.
        Approved = "approved",
        /// It may not.
        Denied = "denied",
    }
}

/// A day of every year, written `08-20`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct YearDay {
    month: u32,
    day: u32,
}

impl YearDay {
    /// The day written so; none for another text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // A leap year knows every day there is.
        let date = NaiveDate::parse_from_str(&format!("2024-{text}"), "%Y-%m-%d").ok()?;
        let parsed = Self {
            month: date.month(),
            day: date.day(),
        };
        (parsed.text() == text).then_some(parsed)
    }

    /// As it is written.
    #[must_use]
    pub fn text(self) -> String {
        format!("{:02}-{:02}", self.month, self.day)
    }

    fn of(date: NaiveDate) -> Self {
        Self {
            month: date.month(),
            day: date.day(),
        }
    }
}

/// From a day of the year (included) to another (excluded); over the turn of the year when the other comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Season {
    /// The first day.
    pub from: YearDay,
    /// The first day after.
    pub until: YearDay,
}

impl Season {
    /// Whether a date is in it.
    #[must_use]
    pub fn contains(self, date: NaiveDate) -> bool {
        let day = YearDay::of(date);
        if self.from < self.until {
            self.from <= day && day < self.until
        } else {
            day >= self.from || day < self.until
        }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its id.
    pub id: ColumnId,
    /// What people read.
    pub name: Name,
    /// On which board it stands.
    pub board: Option<Name>,
    /// For whom it is.
    pub audience: Targeting,
    /// The first day.
    pub from: NaiveDate,
    /// The first day after.
    pub until: NaiveDate,
    /// In which part of every year.
    pub season: Option<Season>,
    /// Whether it is shown at all.
    pub active: bool,
    /// Counts up with each change.
    pub version: i64,
}

impl Column {
    /// The column, when it can be one.
    ///
    /// # Errors
    /// 422 when it ends before it begins.
    pub fn checked(self) -> Result<Self, Refusal> {
        if self.from < self.until {
            return Ok(self);
        }
        Err(Refusal::invalid(
            "column_invalid",
            Message::new(
                "A column ends after it begins.",
                "栏目的结束日期须晚于开始日期。",
            ),
        ))
    }

    /// Whether it is shown to people of that kind there, on that day.
    #[must_use]
    pub fn is_shown(&self, date: NaiveDate, kind: ActorKind, communities: &[CommunityId]) -> bool {
        let viewer = Viewer {
            kind,
            communities,
            minute: 0,
        };
        self.active
            && self.from <= date
            && date < self.until
            && self.season.is_none_or(|season| season.contains(date))
            && self.audience.meets(viewer)
    }
}

/// An article of a column. With a sponsor it is paid for, and says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Its id.
    pub id: ArticleId,
    /// Of which column.
    pub column: ColumnId,
    /// Who pays for it, and the name that people read.
    pub sponsor: Option<(MerchantId, Name)>,
    /// What people read first.
    pub title: Name,
    /// The text.
    pub body: Body,
    /// An https URL.
    pub image: Option<Note>,
    /// Where it leads.
    pub landing: Option<Note>,
    /// The first day.
    pub from: NaiveDate,
    /// The first day after.
    pub until: NaiveDate,
    /// How its review stands.
    pub state: ArticleState,
    /// Why it was denied.
    pub reason: Option<Reason>,
    /// Who wrote it.
    pub written_by: ActorId,
    /// When.
    pub written_at: Timestamp,
    /// Who reviewed it.
    pub reviewed_by: Option<ActorId>,
}

impl Article {
    /// The article, when it can be one.
    ///
    /// # Errors
    /// 422 naming what cannot be.
    pub fn checked(self) -> Result<Self, Refusal> {
        let is_link =
            |text: &Note| text.as_str().starts_with("https://") || text.as_str().starts_with('/');
        let is_fine = self.from < self.until
            && self.landing.as_ref().is_none_or(is_link)
            && self
                .image
                .as_ref()
                .is_none_or(|image| image.as_str().starts_with("https://"));
        if is_fine {
            return Ok(self);
        }
        Err(Refusal::invalid(
            "article_invalid",
            Message::new(
                "An article ends after it begins, and its links are https or paths of the app.",
                "文章的结束日期须晚于开始日期，链接须为 https 或应用内路径。",
            ),
        ))
    }

    /// The article after its review.
    ///
    /// # Errors
    /// 403 for who wrote it; 409 when it was reviewed.
    pub fn reviewed(self, by: ActorId, denied: Option<Reason>) -> Result<Self, Refusal> {
        if by == self.written_by {
            return Err(own_review());
        }
        if self.state != ArticleState::Pending {
            return Err(Refusal::conflict(
                "article_state",
                Message::new(
                    format!(
                        "The article is {}: it was reviewed. Write a new one.",
                        self.state.as_str()
                    ),
                    format!(
                        "文章当前状态为 {}，已审核，请另写一篇。",
                        self.state.as_str()
                    ),
                ),
            ));
        }
        let state = if denied.is_some() {
            ArticleState::Denied
        } else {
            ArticleState::Approved
        };
        Ok(Self {
            state,
            reason: denied,
            reviewed_by: Some(by),
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_season_comes_every_year_and_may_pass_new_year() {
        let season = |from, until| Season {
            from: YearDay::parse(from).unwrap(),
            until: YearDay::parse(until).unwrap(),
        };
        let school = season("08-20", "09-10");
        for (date, is_in) in [
            ("2026-08-19", false),
            ("2026-08-20", true),
            ("2027-09-09", true),
            ("2027-09-10", false),
        ] {
            assert_eq!(school.contains(day(date)), is_in, "{date}");
        }
        let winter = season("12-01", "03-01");
        for (date, is_in) in [
            ("2026-12-31", true),
            ("2028-02-29", true),
            ("2027-03-01", false),
            ("2026-11-30", false),
        ] {
            assert_eq!(winter.contains(day(date)), is_in, "{date}");
        }
        for wrong in ["13-01", "02-30", "8-20", ""] {
            assert_eq!(YearDay::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_column_is_for_its_audience_on_its_days() {
        let column = Column {
            id: ColumnId::parse("school").unwrap(),
            name: Name::parse("开学季").unwrap(),
            board: None,
            audience: Targeting {
                kinds: vec![ActorKind::Resident],
                ..Targeting::default()
            },
            from: day("2026-01-01"),
            until: day("2028-01-01"),
            season: Some(Season {
                from: YearDay::parse("08-20").unwrap(),
                until: YearDay::parse("09-10").unwrap(),
            }),
            active: true,
            version: 1,
        };
        assert!(column.is_shown(day("2026-09-01"), ActorKind::Resident, &[]));
        assert!(!column.is_shown(day("2026-09-01"), ActorKind::Staff, &[]));
        assert!(!column.is_shown(day("2026-10-01"), ActorKind::Resident, &[]));
        assert!(!column.is_shown(day("2028-09-01"), ActorKind::Resident, &[]));
        let hidden = Column {
            active: false,
            ..column
        };
        assert!(!hidden.is_shown(day("2026-09-01"), ActorKind::Resident, &[]));
    }
}
