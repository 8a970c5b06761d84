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

/// The longest video, in milliseconds: three minutes.
pub const VIDEO_MS_MAX: i64 = 180_000;

/// The file of a video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Video {
    /// An https URL of MP4.
    pub url: Note,
    /// How long it lasts, in milliseconds.
    pub millis: i64,
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
    /// What moves, of a video; the image stands in its place until then.
    pub video: Option<Video>,
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
                (self.format == Format::Video) != self.video.is_some(),
                "a video, and nothing else, has a video",
                "视频创意须有视频文件，其他创意不得有",
            ),
            (
                self.video.as_ref().is_some_and(|video| {
                    !is_secure(video.url.as_str())
                        || !(1_000..=VIDEO_MS_MAX).contains(&video.millis)
                }),
                "video is an https URL of MP4 and lasts 1000 to 180000 ms",
                "视频应为 https 链接的 MP4，时长 1000 至 180000 毫秒",
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
        // What has no video has the digest that it always had.
        let video = self.video.iter();
        let video =
            video.flat_map(|video| [video.url.as_str().to_owned(), video.millis.to_string()]);
        let mut hash = Sha256::new();
        for part in parts.into_iter().chain(video) {
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
#[path = "creative_tests.rs"]
mod tests;
