//! The markup of a banner: a picture that leads to the advertiser through a notice of ours, labelled as what it is.

/// What a banner shows.
#[derive(Debug, Clone, Copy)]
pub struct Shows<'a> {
    /// An https URL; text alone without one.
    pub image: Option<&'a str>,
    /// What people read.
    pub title: &'a str,
    /// Who advertises.
    pub advertiser: &'a str,
    /// Where a click goes first.
    pub click: &'a str,
    /// In pixels.
    pub size: (i64, i64),
}

/// HTML for a banner.
#[must_use]
pub fn banner(shows: &Shows<'_>) -> String {
    let (width, height) = shows.size;
    let (title, click) = (escaped(shows.title), escaped(shows.click));
    let advertiser = escaped(shows.advertiser);
    let inner = match shows.image {
        Some(image) => {
            let image = escaped(image);
            format!(
                r#"<img src="{image}" width="{width}" height="{height}" alt="{title}" style="border:0;display:block">"#
            )
        }
        None => title.clone(),
    };
    format!(
        r#"<div style="position:relative;width:{width}px;height:{height}px;overflow:hidden;font:12px sans-serif"><a href="{click}" target="_blank" rel="noopener nofollow sponsored" title="{title}">{inner}</a><span style="position:absolute;right:0;bottom:0;background:#fff;color:#666;padding:0 3px">广告 {advertiser}</span></div>"#
    )
}

/// Text as it stands in HTML and XML.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_advertisers_write_is_text_and_never_markup() {
        let shows = Shows {
            image: Some("https://cdn.example/a.png?x=1&y=2"),
            title: "<script>\"",
            advertiser: "鱼店",
            click: "https://linli.example/c",
            size: (300, 250),
        };
        let html = banner(&shows);
        assert!(html.contains("&lt;script&gt;&quot;") && !html.contains("<script"));
        assert!(html.contains("x=1&amp;y=2") && html.contains("广告 鱼店"));
        let text = banner(&Shows {
            image: None,
            ..shows
        });
        assert!(!text.contains("<img"));
    }
}
