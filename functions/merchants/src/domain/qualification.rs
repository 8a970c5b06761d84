//! Licences and certificates: files, how long they hold, and until when a merchant may sell by them.

use chrono::{Days, NaiveDate};
use kernel::{ActorId, Message, QualificationId, Refusal, Timestamp, Zone};

use super::{Name, Reason};

/// The largest file, in bytes.
pub const FILE_BYTES_MAX: usize = 512 * 1024;
/// The most licences of one application, and the most of one merchant that are not refused.
pub const QUALIFICATIONS_MAX: usize = 30;
/// How long before a licence ends its merchant is reminded, in milliseconds: 30 days.
pub const REMIND_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// The name on the wire and in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one of that name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    )*};
}

words! {
    /// What a file proves.
    QualificationKind {
        /// That there is such a company (营业执照); every merchant needs one.
        BusinessLicence = "business_licence",
        /// That it may sell food (食品经营许可证).
        FoodLicence = "food_licence",
        /// That its people are fit to handle food (健康证).
        HealthCertificate = "health_certificate",
        /// That it may sell medicine or medical devices (药品、医疗器械经营许可).
        MedicineLicence = "medicine_licence",
        /// That it may do a service that needs a permit (服务许可).
        ServicePermit = "service_permit",
        /// That it may sell a brand (品牌授权).
        BrandAuthorisation = "brand_authorisation",
        /// Something else.
        Other = "other",
    }
    /// What became of a file.
    QualificationState {
        /// Nobody has looked at it yet.
        Pending = "pending",
        /// It counts.
        Accepted = "accepted",
        /// It does not.
        Refused = "refused",
    }
    /// What a file is.
    Media {
        /// A photo.
        Jpeg = "image/jpeg",
        /// A picture.
        Png = "image/png",
        /// A document.
        Pdf = "application/pdf",
    }
}

impl QualificationKind {
    /// Whether papers of that kind always end; others may hold without a last day (长期).
    #[must_use]
    pub fn always_ends(self) -> bool {
        !matches!(self, Self::BusinessLicence | Self::Other)
    }
}

/// The days on which a paper holds, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    first: NaiveDate,
    last: Option<NaiveDate>,
}

impl Validity {
    /// The days of a paper of that kind, handed in on a day.
    ///
    /// # Errors
    /// A last day before the first, or before today; none for a kind that always ends.
    pub fn new(
        kind: QualificationKind,
        (first, last): (NaiveDate, Option<NaiveDate>),
        today: NaiveDate,
    ) -> Result<Self, Refusal> {
        if last.is_none() && kind.always_ends() {
            return Err(Refusal::invalid(
                "validity_required",
                Message::new(
                    "Papers of this kind end: write their last day as valid_until.",
                    "该类资质必须填写有效期截止日 valid_until。",
                ),
            ));
        }
        if last.is_some_and(|last| last < first || last < today) {
            return Err(Refusal::invalid(
                "qualification_over",
                Message::new(
                    "This paper has ended, or ends before it begins. Hand in one that holds.",
                    "该资质已过期或有效期填写有误，请上传有效的资质。",
                ),
            ));
        }
        Ok(Self { first, last })
    }

    /// The days that were stored.
    #[must_use]
    pub fn stored(first: NaiveDate, last: Option<NaiveDate>) -> Self {
        Self { first, last }
    }

    /// The first day.
    #[must_use]
    pub fn first(self) -> NaiveDate {
        self.first
    }

    /// The last day; none when it does not end.
    #[must_use]
    pub fn last(self) -> Option<NaiveDate> {
        self.last
    }

    /// The first moment after its last day.
    fn ends_at(self) -> Option<Timestamp> {
        let after = self.last?.checked_add_days(Days::new(1))?;
        Some(Zone::SHANGHAI.moment(after, 0))
    }
}

/// A file, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qualification {
    /// Its id.
    pub id: QualificationId,
    /// What it proves.
    pub kind: QualificationKind,
    /// What the one who handed it in calls it.
    pub name: Name,
    /// What it is.
    pub media: Media,
    /// How large it is.
    pub bytes: i64,
    /// The SHA-256 of it, in hexadecimal digits.
    pub digest: String,
    /// On which days it holds.
    pub validity: Validity,
    /// What became of it.
    pub state: QualificationState,
    /// Why it was refused.
    pub reason: Option<Reason>,
    /// Who handed it in; none for an applicant without an account.
    pub uploaded_by: Option<ActorId>,
    /// When.
    pub uploaded_at: Timestamp,
}

/// What the bytes are, if that is what they are said to be.
///
/// # Errors
/// Too large, empty, or another kind of file.
pub fn file_of(media: Media, bytes: &[u8]) -> Result<(), Refusal> {
    if bytes.is_empty() || bytes.len() > FILE_BYTES_MAX {
        return Err(Refusal::invalid(
            "file_too_large",
            Message::new(
                format!("A file has 1 to {FILE_BYTES_MAX} bytes. Make the picture smaller."),
                format!("文件大小为 1 至 {FILE_BYTES_MAX} 字节，请压缩后上传。"),
            ),
        ));
    }
    let begins: &[u8] = match media {
        Media::Jpeg => &[0xff, 0xd8, 0xff],
        Media::Png => b"\x89PNG\r\n\x1a\n",
        Media::Pdf => b"%PDF-",
    };
    if bytes.starts_with(begins) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "file_kind_wrong",
        Message::new(
            "The file is not what its media type says. Send a JPEG, PNG or PDF.",
            "文件内容与类型不符，请上传 JPEG、PNG 或 PDF。",
        ),
    ))
}

/// A pending file after a decision.
///
/// # Errors
/// It was decided on before.
pub fn accepted(
    file: &Qualification,
    refused_because: Option<Reason>,
) -> Result<Qualification, Refusal> {
    if file.state != QualificationState::Pending {
        let state = file.state.as_str();
        return Err(Refusal::conflict(
            "qualification_decided",
            Message::new(
                format!("This paper is {state} already; only a pending one is decided on."),
                format!("该资质当前状态为 {state}，只有待审核的资质可以审核。"),
            ),
        ));
    }
    let state = match refused_because {
        None => QualificationState::Accepted,
        Some(_) => QualificationState::Refused,
    };
    Ok(Qualification {
        state,
        reason: refused_because,
        ..file.clone()
    })
}

/// The moment at which the first of the kinds that are needed ends, by those of the papers that count: none when none
/// ever does. A kind that is not there has ended always.
#[must_use]
pub fn expiry(needed: &[QualificationKind], papers: &[Qualification]) -> Option<Timestamp> {
    let of_kind = |kind: QualificationKind| {
        let counting = papers
            .iter()
            .filter(|paper| paper.kind == kind && paper.state == QualificationState::Accepted);
        // Without an end is later than every end.
        let ends: Vec<Option<Timestamp>> = counting.map(|paper| paper.validity.ends_at()).collect();
        match ends.iter().any(Option::is_none) {
            true => None,
            false => Some(ends.into_iter().flatten().max().unwrap_or(Timestamp::EPOCH)),
        }
    };
    needed.iter().filter_map(|kind| of_kind(*kind)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn paper(kind: QualificationKind, last: Option<&str>) -> Qualification {
        Qualification {
            id: QualificationId::parse("q").unwrap(),
            kind,
            name: Name::parse("x").unwrap(),
            media: Media::Pdf,
            bytes: 1,
            digest: String::new(),
            validity: Validity::stored(day("2020-01-01"), last.map(day)),
            state: QualificationState::Accepted,
            reason: None,
            uploaded_by: None,
            uploaded_at: Timestamp::EPOCH,
        }
    }

    #[test]
    fn a_merchant_may_sell_until_the_first_needed_paper_has_ended_and_renewals_count() {
        use QualificationKind::{BusinessLicence, FoodLicence};
        let needed = [BusinessLicence, FoodLicence];
        let long = paper(BusinessLicence, None);
        let ends = |papers: &[Qualification]| expiry(&needed, papers).map(|at| at.to_string());
        let food = paper(FoodLicence, Some("2026-12-31"));
        let until = |text: &str| Some(text.to_owned());
        let both = [long.clone(), food.clone()];
        assert_eq!(ends(&both), until("2026-12-31T16:00:00.000Z"));
        let renewed = paper(FoodLicence, Some("2027-12-31"));
        let all = [long.clone(), food.clone(), renewed];
        assert_eq!(ends(&all), until("2027-12-31T16:00:00.000Z"));
        assert_eq!(
            ends(std::slice::from_ref(&long)),
            until("1970-01-01T00:00:00.000Z")
        );
        let pending = Qualification {
            state: QualificationState::Pending,
            ..food
        };
        let waiting = [long.clone(), pending];
        assert_eq!(ends(&waiting), until("1970-01-01T00:00:00.000Z"));
        assert_eq!(expiry(&[BusinessLicence], &[long]), None);
    }

    #[test]
    fn a_paper_that_has_ended_or_has_no_end_where_it_must_is_refused() {
        use QualificationKind::{BusinessLicence, FoodLicence};
        let today = day("2026-11-02");
        let check = |kind, last: Option<&str>| {
            let days = (day("2024-01-01"), last.map(day));
            Validity::new(kind, days, today).map_err(|refusal| refusal.code)
        };
        assert!(check(BusinessLicence, None).is_ok());
        assert!(check(FoodLicence, Some("2026-11-02")).is_ok());
        assert_eq!(check(FoodLicence, None), Err("validity_required"));
        let over = Err("qualification_over");
        assert_eq!(check(FoodLicence, Some("2026-11-01")), over);
        assert_eq!(check(BusinessLicence, Some("2023-12-31")), over);
    }

    #[test]
    fn a_file_is_what_it_says_and_has_a_limit() {
        let code = |media, bytes: &[u8]| file_of(media, bytes).map_err(|refusal| refusal.code);
        assert_eq!(code(Media::Pdf, b"%PDF-1.7"), Ok(()));
        assert_eq!(code(Media::Jpeg, b"%PDF-1.7"), Err("file_kind_wrong"));
        assert_eq!(code(Media::Pdf, b""), Err("file_too_large"));
        let large = vec![0xff; FILE_BYTES_MAX + 1];
        assert_eq!(code(Media::Jpeg, &large), Err("file_too_large"));
    }
}
