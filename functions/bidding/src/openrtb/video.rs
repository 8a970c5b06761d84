//! The markup of a video: VAST 3.0, inline, one MP4 file. Players say that it is an advertisement; its title does, too.

use super::markup::{Shows, escaped};

/// What the protocol calls VAST 3.0.
pub const PROTOCOL: i64 = 3;
/// What is played.
const MIME: &str = "video/mp4";

/// A video.
#[derive(Debug, Clone, Copy)]
pub struct Film<'a> {
    /// Which creative.
    pub id: &'a str,
    /// MP4 under an https URL.
    pub url: &'a str,
    /// How long it lasts, in milliseconds.
    pub millis: i64,
    /// What is fetched when it begins: it bills, once, whoever else does so.
    pub begun: &'a str,
}

impl Film<'_> {
    /// What is played, as requests name it.
    pub const MIME: &'static str = MIME;

    /// How long it lasts, in seconds; a part of one counts whole.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.millis.saturating_add(999).div_euclid(1_000)
    }
}

/// XML for a video.
#[must_use]
pub fn vast(film: &Film<'_>, shows: &Shows<'_>) -> String {
    let (width, height) = shows.size;
    let (id, title, advertiser) = (
        escaped(film.id),
        escaped(shows.title),
        escaped(shows.advertiser),
    );
    let (url, click, begun) = (escaped(film.url), escaped(shows.click), escaped(film.begun));
    let lasts = lasts(film.millis);
    format!(
        r#"<VAST version="3.0"><Ad id="{id}"><InLine><AdSystem>Linli</AdSystem><AdTitle>广告 {title}</AdTitle><Advertiser>{advertiser}</Advertiser><Impression>{begun}</Impression><Creatives><Creative id="{id}"><Linear><Duration>{lasts}</Duration><VideoClicks><ClickThrough>{click}</ClickThrough></VideoClicks><MediaFiles><MediaFile delivery="progressive" type="{MIME}" width="{width}" height="{height}">{url}</MediaFile></MediaFiles></Linear></Creative></Creatives></InLine></Ad></VAST>"#
    )
}

/// As `00:00:15`, or `00:00:15.500`.
fn lasts(millis: i64) -> String {
    let seconds = millis / 1_000;
    let rest = match millis % 1_000 {
        0 => String::new(),
        part => format!(".{part:03}"),
    };
    format!(
        "{:02}:{:02}:{:02}{rest}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_advertisers_write_is_text_and_never_markup() {
        let shows = Shows {
            image: None,
            title: "<Ad>]]>",
            advertiser: "鱼&店",
            click: "https://linli.example/c",
            size: (1_280, 720),
        };
        let film = Film {
            id: "k1",
            url: "https://cdn.example/a.mp4?x=1&y=2",
            millis: 75_500,
            begun: "https://linli.example/b?price=${AUCTION_PRICE}&currency=CNY",
        };
        let xml = vast(&film, &shows);
        assert!(xml.contains("<AdTitle>广告 &lt;Ad&gt;]]&gt;</AdTitle>"));
        assert!(xml.contains("x=1&amp;y=2</MediaFile>") && xml.contains("鱼&amp;店"));
        assert!(xml.contains("price=${AUCTION_PRICE}&amp;currency=CNY</Impression>"));
        assert!(xml.contains("<Duration>00:01:15.500</Duration>"));
        assert_eq!((film.seconds(), lasts(15_000).as_str()), (76, "00:00:15"));
    }
}
