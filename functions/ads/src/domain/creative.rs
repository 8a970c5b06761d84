//! Creatives: what is shown, and its review. Only what is approved, and is still what was approved, is ever shown.

use chrono::NaiveDate;
use kernel::{ActorId, CreativeId, MerchantId, Message, Refusal, Timestamp};
use sha2::{Digest as _, Sha256};
use wire::advertising::CreativeState;

use super::placement::{Format, words};
use super::text::{Body, Name, Note, Reason};

words! {
    /// What a creative is about, as far as the law asks for more.
    Subject {
        /// Anything else.
        General = "general",
        /// Doctors and hospitals: needs an approval number (广审号).
        Medical = "medical",
        /// Medicines: needs an approval number.
        Drug = "drug",
        /// Medical devices: needs an approval number.
        MedicalDevice = "medical_device",
        /// Health food: needs an approval number.
        HealthFood = "health_food",
        /// Loans and investments.
        Finance = "finance",
        /// Alcohol.
        Alcohol = "alcohol",
    }
}

impl Subject {
    /// Whether it may be shown only with an approval number.
    #[must_use]
    pub fn needs_approval_number(self) -> bool {
        matches!(
            self,
            Self::Medical | Self::Drug | Self::MedicalDevice | Self::HealthFood
        )
    }
}

/// What is shown, and where a click leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What it fits.
    pub format: Format,
    /// In pixels; 0 for text.
    pub width: i64,
    /// In pixels; 0 for text.
    pub height: i64,
    /// An https URL or a path of the app.
    pub landing: Note,
    /// What people read first.
    pub title: Name,
    /// What they read then.
    pub body: Option<Body>,
    /// An https URL.
    pub image: Option<Note>,
    /// The advertiser's own domain.
    pub domain: Note,
    /// What it is about.
    pub subject: Subject,
    /// The number under which it was approved by the authority.
    pub approval_number: Option<Name>,
    /// The first day on which a qualification that it needs no longer holds.
    pub qualified_until: Option<NaiveDate>,
}

impl Content {
    /// The content, when it can be shown at all.
    ///
    /// # Errors
    /// 422 naming what cannot be.
    pub fn checked(self) -> Result<Self, Refusal> {
        let is_link = |text: &str| text.starts_with("https://") || text.starts_with('/');
        let is_secure = |text: &str| text.starts_with("https://");
        let needs_image = matches!(self.format, Format::Banner | Format::Video);
        let faults = [
            (
                !is_link(self.landing.as_str()),
                "landing is an https URL or a path of the app",
                "落地页应为 https 链接或应用内路径",
            ),
            (
                self.image
                    .as_ref()
                    .is_some_and(|image| !is_secure(image.as_str())),
                "image is an https URL",
                "图片应为 https 链接",
            ),
            (
                needs_image && self.image.is_none(),
                "a banner or a video needs an image",
                "横幅和视频需要图片",
            ),
            (
                !(0..=10_000).contains(&self.width) || !(0..=10_000).contains(&self.height),
                "width and height are 0 to 10000",
                "宽高为 0 至 10000",
            ),
            (
                self.subject.needs_approval_number() && self.approval_number.is_none(),
                "medical and similar advertisements need an approval_number",
                "医疗、药品、医疗器械、保健食品广告需要广告审查批准文号",
            ),
        ];
        match faults.into_iter().find(|(is_wrong, _, _)| *is_wrong) {
            None => Ok(self),
            Some((_, english, chinese)) => Err(Refusal::invalid(
                "creative_invalid",
                Message::new(
                    format!("This creative cannot be: {english}."),
                    format!("创意不正确：{chinese}。"),
                ),
            )),
        }
    }

    /// The digest of all of it, in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        let parts = [
            self.format.as_str().to_owned(),
            self.width.to_string(),
            self.height.to_string(),
            self.landing.as_str().to_owned(),
            self.title.as_str().to_owned(),
            self.body.as_ref().map_or("", Body::as_str).to_owned(),
            self.image.as_ref().map_or("", Note::as_str).to_owned(),
            self.domain.as_str().to_owned(),
            self.subject.as_str().to_owned(),
            self.approval_number
                .as_ref()
                .map_or("", Name::as_str)
                .to_owned(),
            self.qualified_until
                .map(|day| day.to_string())
                .unwrap_or_default(),
        ];
        let mut hash = Sha256::new();
        for part in parts {
            // The length keeps ("ab", "c") apart from ("a", "bc").
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Whether what it needs has run out on that day.
    #[must_use]
    pub fn has_run_out(&self, today: NaiveDate) -> bool {
        self.qualified_until.is_some_and(|until| until <= today)
    }
}

/// A creative with its review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creative {
    /// Its id.
    pub id: CreativeId,
    /// Whose.
    pub merchant: MerchantId,
    /// What is shown.
    pub content: Content,
    /// How its review stands.
    pub state: CreativeState,
    /// The digest of what was approved last.
    pub approved_hash: Option<String>,
    /// Why it was denied.
    pub reason: Option<Reason>,
    /// Who submitted it, or changed it last.
    pub submitted_by: ActorId,
    /// When.
    pub submitted_at: Timestamp,
    /// Who reviewed it last.
    pub reviewed_by: Option<ActorId>,
    /// When.
    pub reviewed_at: Option<Timestamp>,
    /// Counts up with each change.
    pub version: i64,
}

impl Creative {
    /// The creative with other content: what differs from what was approved is reviewed again.
    #[must_use]
    pub fn changed(self, content: Content, by: ActorId, now: Timestamp) -> Self {
        let state = match &self.approved_hash {
            None => CreativeState::Pending,
            Some(approved) if *approved == content.hash() => CreativeState::Approved,
            Some(_) => CreativeState::Changed,
        };
        Self {
            content,
            state,
            submitted_by: by,
            submitted_at: now,
            version: self.version + 1,
            ..self
        }
    }

    /// The creative after its review: approved, or denied with a reason.
    ///
    /// # Errors
    /// 403 for who submitted it; 409 when there is nothing to review; 422 when what it needs has run out.
    pub fn reviewed(
        self,
        (by, now): (ActorId, Timestamp),
        today: NaiveDate,
        denied: Option<Reason>,
    ) -> Result<Self, Refusal> {
        if by == self.submitted_by {
            return Err(own_review());
        }
        let is_open = matches!(self.state, CreativeState::Pending | CreativeState::Changed);
        if !is_open {
            return Err(Refusal::conflict(
                "creative_state",
                Message::new(
                    format!(
                        "The creative is {}: only what is pending or changed is reviewed.",
                        self.state.as_str()
                    ),
                    format!(
                        "创意当前状态为 {}，仅 pending 或 changed 状态可以审核。",
                        self.state.as_str()
                    ),
                ),
            ));
        }
        if denied.is_none() && self.content.has_run_out(today) {
            return Err(Refusal::invalid(
                "creative_qualification_over",
                Message::new(
                    "A qualification that it needs has run out. Have a newer one handed in first.",
                    "所需资质已过期，请先更新资质。",
                ),
            ));
        }
        let is_approved = denied.is_none();
        Ok(Self {
            state: if is_approved {
                CreativeState::Approved
            } else {
                CreativeState::Denied
            },
            approved_hash: if is_approved {
                Some(self.content.hash())
            } else {
                None
            },
            reason: denied,
            reviewed_by: Some(by),
            reviewed_at: Some(now),
            version: self.version + 1,
            ..self
        })
    }

    /// The creative when what it needs has run out.
    #[must_use]
    pub fn expired(self) -> Self {
        Self {
            state: CreativeState::Expired,
            approved_hash: None,
            version: self.version + 1,
            ..self
        }
    }
}

/// Nobody reviews what they submitted.
#[must_use]
pub fn own_review() -> Refusal {
    Refusal::forbidden(
        "own_review",
        Message::new(
            "Nobody reviews what they submitted themselves. Ask a colleague.",
            "不能审核自己提交的内容，请由其他人员审核。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(title: &str) -> Content {
        Content {
            format: Format::Banner,
            width: 750,
            height: 300,
            landing: Note::parse("https://fruit.example/sale").unwrap(),
            title: Name::parse(title).unwrap(),
            body: None,
            image: Some(Note::parse("https://fruit.example/a.png").unwrap()),
            domain: Note::parse("fruit.example").unwrap(),
            subject: Subject::General,
            approval_number: None,
            qualified_until: None,
        }
    }

    fn who(id: &str) -> ActorId {
        ActorId::parse(id).unwrap()
    }

    fn creative() -> Creative {
        Creative {
            id: CreativeId::parse("c1").unwrap(),
            merchant: MerchantId::parse("m1").unwrap(),
            content: content("苹果"),
            state: CreativeState::Pending,
            approved_hash: None,
            reason: None,
            submitted_by: who("mei"),
            submitted_at: Timestamp::EPOCH,
            reviewed_by: None,
            reviewed_at: None,
            version: 1,
        }
    }

    fn today() -> NaiveDate {
        "2026-11-02".parse().unwrap()
    }

    #[test]
    fn what_changes_after_its_approval_is_reviewed_again_and_changed_back_is_not() {
        let when = (who("wang"), Timestamp::EPOCH);
        let approved = creative().reviewed(when.clone(), today(), None).unwrap();
        assert_eq!(approved.state, CreativeState::Approved);
        let changed = approved.changed(content("梨"), who("mei"), Timestamp::EPOCH);
        assert_eq!(changed.state, CreativeState::Changed);
        let back = changed
            .clone()
            .changed(content("苹果"), who("mei"), Timestamp::EPOCH);
        assert_eq!(back.state, CreativeState::Approved);
        let reason = Reason::parse("夸大").ok();
        let denied = changed.reviewed(when.clone(), today(), reason).unwrap();
        assert_eq!(denied.state, CreativeState::Denied);
        assert_eq!(
            denied.reviewed(when, today(), None).unwrap_err().code,
            "creative_state"
        );
    }

    #[test]
    fn nobody_reviews_their_own_and_nothing_is_approved_on_a_paper_that_ran_out() {
        let own = creative().reviewed((who("mei"), Timestamp::EPOCH), today(), None);
        assert_eq!(own.unwrap_err().code, "own_review");
        let mut old = creative();
        old.content.qualified_until = Some(today());
        let refused = old.reviewed((who("wang"), Timestamp::EPOCH), today(), None);
        assert_eq!(refused.unwrap_err().code, "creative_qualification_over");
    }

    #[test]
    fn medical_needs_a_number_and_links_are_safe() {
        let medical = Content {
            subject: Subject::Medical,
            ..content("x")
        };
        assert!(medical.clone().checked().is_err());
        let numbered = Content {
            approval_number: Name::parse("京医广【2026】第1号").ok(),
            ..medical
        };
        assert!(numbered.checked().is_ok());
        let open = Content {
            landing: Note::parse("http://a.example").unwrap(),
            ..content("x")
        };
        assert_eq!(open.checked().unwrap_err().code, "creative_invalid");
    }
}
