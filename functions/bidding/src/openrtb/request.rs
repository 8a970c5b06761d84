//! What exchanges and pages ask. Fields that are not known are tolerated, as the protocol wants it; of those that are, a
//! wrong type makes the request malformed.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::decimal::Decimal;

/// The most impressions of a request.
const IMPS_MAX: usize = 20;
/// The longest id, in characters.
const ID_CHARACTERS_MAX: usize = 256;

/// Why a request is malformed: the field, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError(pub String);

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for RequestError {}

/// A request for bids, as far as it matters here.
#[derive(Debug, Deserialize)]
pub struct BidRequest {
    /// Its id.
    pub id: String,
    /// What is to be filled.
    pub imp: Vec<Imp>,
    /// A page.
    #[serde(default)]
    pub site: Option<Channel>,
    /// An app.
    #[serde(default)]
    pub app: Option<Channel>,
    /// A screen in public.
    #[serde(default)]
    pub dooh: Option<Channel>,
    /// The currencies in which bids may be.
    #[serde(default, deserialize_with = "or_absent")]
    pub cur: Vec<String>,
    /// Advertisers that may not be shown, by their domains.
    #[serde(default, deserialize_with = "or_absent")]
    pub badv: Vec<String>,
    /// Seats that may bid; all without.
    #[serde(default, deserialize_with = "or_absent")]
    pub wseat: Vec<String>,
    /// Seats that may not.
    #[serde(default, deserialize_with = "or_absent")]
    pub bseat: Vec<String>,
    /// Who looks.
    #[serde(default)]
    pub user: Option<Identified>,
    /// With what.
    #[serde(default)]
    pub device: Option<Device>,
    /// 1 for what is not billed; such bids are not made here.
    #[serde(default, deserialize_with = "or_absent")]
    pub test: i64,
}

/// Some say `null` of what they leave out.
fn or_absent<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    let said = Option::<T>::deserialize(from)?;
    Ok(said.unwrap_or_else(T::default))
}

/// Where something is shown.
#[derive(Debug, Default, Deserialize)]
pub struct Channel {
    /// The domain of a page.
    #[serde(default)]
    pub domain: Option<String>,
    /// The bundle of an app.
    #[serde(default)]
    pub bundle: Option<String>,
}

/// Something with an id.
#[derive(Debug, Default, Deserialize)]
pub struct Identified {
    /// The id.
    #[serde(default)]
    pub id: Option<String>,
}

/// A device.
#[derive(Debug, Default, Deserialize)]
pub struct Device {
    /// How it introduces itself.
    #[serde(default)]
    pub ua: Option<String>,
}

/// An impression.
#[derive(Debug, Deserialize)]
pub struct Imp {
    /// Its id in the request.
    pub id: String,
    /// A banner.
    #[serde(default)]
    pub banner: Option<Banner>,
    /// A video.
    #[serde(default)]
    pub video: Option<Video>,
    /// A native advertisement.
    #[serde(default)]
    pub native: Option<NativeAsk>,
    /// The placement, by the name that the publisher gave it.
    #[serde(default)]
    pub tagid: Option<String>,
    /// The least price for a thousand.
    #[serde(default)]
    bidfloor: Option<Box<RawValue>>,
    /// In which currency.
    #[serde(default)]
    bidfloorcur: Option<String>,
    /// How many views one is.
    #[serde(default)]
    qty: Option<Quantity>,
    /// For how many seconds a bid has to hold.
    #[serde(default)]
    pub exp: Option<i64>,
    #[serde(default)]
    ext: Option<Extension>,
}

/// The sizes of a banner.
#[derive(Debug, Default, Deserialize)]
pub struct Banner {
    /// In pixels.
    #[serde(default)]
    pub w: Option<i64>,
    /// In pixels.
    #[serde(default)]
    pub h: Option<i64>,
    /// Any of these.
    #[serde(default, deserialize_with = "or_absent")]
    pub format: Vec<Size>,
}

/// What a video has to be.
#[derive(Debug, Default, Deserialize)]
pub struct Video {
    /// What the player plays.
    #[serde(default, deserialize_with = "or_absent")]
    pub mimes: Vec<String>,
    /// The least seconds.
    #[serde(default)]
    pub minduration: Option<i64>,
    /// The most seconds.
    #[serde(default)]
    pub maxduration: Option<i64>,
    /// Any of exactly these seconds.
    #[serde(default, deserialize_with = "or_absent")]
    pub rqddurs: Vec<i64>,
    /// The markups that are understood; any without.
    #[serde(default, deserialize_with = "or_absent")]
    pub protocols: Vec<i64>,
    /// 1 for what plays by itself, 2 for what lies over something else.
    #[serde(default)]
    pub linearity: Option<i64>,
    /// How long a break of several videos is, in seconds.
    #[serde(default)]
    pub poddur: Option<i64>,
}

/// A size in pixels.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Size {
    /// The width.
    #[serde(default)]
    pub w: Option<i64>,
    /// The height.
    #[serde(default)]
    pub h: Option<i64>,
}

/// A native advertisement: a document within the document.
#[derive(Debug, Deserialize)]
pub struct NativeAsk {
    /// JSON of Native 1.2.
    pub request: String,
}

#[derive(Debug, Deserialize)]
struct Quantity {
    #[serde(default)]
    multiplier: Option<Box<RawValue>>,
}

#[derive(Debug, Default, Deserialize)]
struct Extension {
    #[serde(default)]
    prebid: Option<Prebid>,
}

#[derive(Debug, Default, Deserialize)]
struct Prebid {
    #[serde(default)]
    bidder: Option<Bidders>,
}

#[derive(Debug, Default, Deserialize)]
struct Bidders {
    #[serde(default)]
    linli: Option<Parameters>,
}

#[derive(Debug, Default, Deserialize)]
struct Parameters {
    #[serde(default)]
    placement: Option<String>,
}

/// Reads a request.
///
/// # Errors
/// What is wrong with it.
pub fn parse(body: &[u8]) -> Result<BidRequest, RequestError> {
    let request: BidRequest =
        serde_json::from_slice(body).map_err(|error| RequestError(error.to_string()))?;
    let is_id = |id: &str| !id.is_empty() && id.chars().count() <= ID_CHARACTERS_MAX;
    if !is_id(&request.id) {
        return Err(RequestError("id: 1 to 256 characters".to_owned()));
    }
    if request.imp.is_empty() || request.imp.len() > IMPS_MAX {
        return Err(RequestError(format!("imp: 1 to {IMPS_MAX} impressions")));
    }
    let mut seen = std::collections::BTreeSet::new();
    for imp in &request.imp {
        if !is_id(&imp.id) || !seen.insert(&imp.id) {
            return Err(RequestError(
                "imp.id: 1 to 256 characters, each once".to_owned(),
            ));
        }
        imp.floor()?;
        imp.views_millionths()?;
    }
    let channels = [&request.site, &request.app, &request.dooh];
    if channels.into_iter().flatten().count() > 1 {
        return Err(RequestError("site, app and dooh: at most one".to_owned()));
    }
    Ok(request)
}

impl BidRequest {
    /// Whether bids in yuan may be: they are named, or nothing is.
    #[must_use]
    pub fn takes_yuan(&self) -> bool {
        self.cur.is_empty() || self.cur.iter().any(|cur| cur.eq_ignore_ascii_case("CNY"))
    }

    /// Whether a seat may bid.
    #[must_use]
    pub fn takes_seat(&self, seat: &str) -> bool {
        let is_named = |seats: &[String]| seats.iter().any(|one| one == seat);
        (self.wseat.is_empty() || is_named(&self.wseat)) && !is_named(&self.bseat)
    }

    /// Whose page, app or screen it is, if it says so.
    #[must_use]
    pub fn channel(&self) -> Option<&str> {
        let of = |channel: &Option<Channel>| channel.is_some();
        let channel = match (of(&self.site), of(&self.app), of(&self.dooh)) {
            (true, _, _) => self.site.as_ref(),
            (_, true, _) => self.app.as_ref(),
            _ => self.dooh.as_ref(),
        }?;
        channel.domain.as_deref().or(channel.bundle.as_deref())
    }
}

impl Imp {
    /// The floor for a thousand in yuan; nothing where it is in another currency. Without a currency it is in dollars.
    ///
    /// # Errors
    /// A floor that is no price.
    pub fn floor(&self) -> Result<Option<Decimal>, RequestError> {
        let text = self.bidfloor.as_deref().map_or("0", RawValue::get);
        let floor = Decimal::parse(if text == "null" { "0" } else { text });
        let floor = floor.map_err(|error| RequestError(format!("imp.bidfloor: {error}")))?;
        let currency = self.bidfloorcur.as_deref().unwrap_or("USD");
        let is_yuan = currency.eq_ignore_ascii_case("CNY") || floor.micros() == 0;
        Ok(is_yuan.then_some(floor))
    }

    /// How many views one is, in 1/1,000,000.
    ///
    /// # Errors
    /// A multiplier that is no number.
    pub fn views_millionths(&self) -> Result<i64, RequestError> {
        let multiplier = self
            .qty
            .as_ref()
            .and_then(|quantity| quantity.multiplier.as_deref());
        let views = Decimal::parse(multiplier.map_or("1", RawValue::get));
        let views = views.map_err(|error| RequestError(format!("imp.qty.multiplier: {error}")))?;
        Ok(views.micros())
    }

    /// The placement of ours that it names.
    #[must_use]
    pub fn placement(&self) -> Option<&str> {
        let bidder = self.ext.as_ref()?.prebid.as_ref();
        let ours = bidder.and_then(|prebid| prebid.bidder.as_ref()?.linli.as_ref());
        ours.and_then(|ours| ours.placement.as_deref())
    }

    /// The placement of ours: as Prebid tells it, or the publisher's name of it.
    #[must_use]
    pub fn placed(&self) -> Option<&str> {
        self.placement().or(self.tagid.as_deref())
    }
}

impl Video {
    /// Whether what we have can be played there at all: MP4 by itself, in that markup, and not as one of a break.
    #[must_use]
    pub fn plays(&self, mime: &str, protocol: i64) -> bool {
        self.mimes.iter().any(|one| one.eq_ignore_ascii_case(mime))
            && (self.protocols.is_empty() || self.protocols.contains(&protocol))
            && self.linearity.is_none_or(|linearity| linearity == 1)
            && self.poddur.is_none()
    }

    /// Whether one that lasts so long fits.
    #[must_use]
    pub fn fits(&self, millis: i64) -> bool {
        let most = |seconds: i64| seconds.saturating_mul(1_000);
        if !self.rqddurs.is_empty() {
            return self.rqddurs.iter().any(|seconds| most(*seconds) == millis);
        }
        self.minduration.is_none_or(|least| millis >= most(least))
            && self
                .maxduration
                .is_none_or(|longest| millis <= most(longest))
    }
}

impl Banner {
    /// Whether a picture of that size fits.
    #[must_use]
    pub fn fits(&self, width: i64, height: i64) -> bool {
        let is = |w: Option<i64>, h: Option<i64>| {
            w.is_none_or(|w| w == width) && h.is_none_or(|h| h == height)
        };
        if self.format.is_empty() {
            return is(self.w, self.h);
        }
        self.format.iter().any(|size| is(size.w, size.h))
    }
}
