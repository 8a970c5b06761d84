//! Lines that show something at a simulated reader: `card ADDRESS READER BITS HEX`, `text ADDRESS READER TEXT`,
//! `keys ADDRESS READER DIGITS`. They come from standard input or over TCP; each is answered with `ok` or why not.

use std::io::Write as _;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use osdp::reply::{Fmt, Keypad, Raw, Reply};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The longest text that is sent as formatted characters; longer ones go as bits.
const FORMATTED_MAX: usize = 255;
/// The longest text at all: it has to fit into one frame.
const TEXT_MAX: usize = 1024;

/// Something that is shown at a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The controller.
    pub address: u8,
    /// Its reader.
    pub reader: u8,
    /// What is shown.
    pub what: What,
}

/// What can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A card: how many bits, and the bits.
    Card(u16, Vec<u8>),
    /// A QR code.
    Text(String),
    /// Keys, ended with enter.
    Keys(String),
}

impl FromStr for Shown {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> Result<Self> {
        let mut words = line.split_whitespace();
        let mut next = |name: &str| words.next().with_context(|| format!("{name} is missing"));
        let kind = next("card, text or keys")?;
        let address = next("the address")?
            .parse()
            .context("the address is no number")?;
        let reader = next("the reader")?
            .parse()
            .context("the reader is no number")?;
        let what = match kind {
            "card" => {
                let bits: u16 = next("the number of bits")?
                    .parse()
                    .context("the number of bits is no number")?;
                let bytes = bytes(next("the bits in hex")?)?;
                ensure!(
                    bytes.len() == usize::from(bits).div_ceil(8),
                    "{bits} bits are not {} bytes",
                    bytes.len()
                );
                What::Card(bits, bytes)
            }
            "text" => What::Text(next("the text")?.to_owned()),
            "keys" => What::Keys(next("the digits")?.to_owned()),
            other => bail!("{other:?} is neither card, text nor keys"),
        };
        ensure!(
            words.next().is_none(),
            "there is more on the line than it takes"
        );
        match &what {
            What::Text(text) => ensure!(
                text.len() <= TEXT_MAX,
                "a text has at most {TEXT_MAX} bytes"
            ),
            What::Keys(keys) => ensure!(keys.len() <= 32, "at most 32 keys are pressed at once"),
            What::Card(..) => {}
        }
        Ok(Self {
            address,
            reader,
            what,
        })
    }
}

impl Shown {
    /// What the controller says when it is polled.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let reader = self.reader;
        match &self.what {
            What::Card(bit_count, bits) => Reply::Raw(Raw {
                reader,
                format_code: 0,
                bit_count: *bit_count,
                bits: bits.clone(),
            }),
            What::Text(text) if text.len() <= FORMATTED_MAX => Reply::Fmt(Fmt {
                reader,
                direction: 0,
                char_count: u8::try_from(text.len()).unwrap_or(u8::MAX),
                chars: text.clone().into_bytes(),
            }),
            What::Text(text) => Reply::Raw(Raw {
                reader,
                format_code: 0,
                bit_count: u16::try_from(text.len() * 8).unwrap_or(u16::MAX),
                bits: text.clone().into_bytes(),
            }),
            What::Keys(keys) => {
                let digits: Vec<u8> = keys.bytes().chain([0x0D]).collect();
                let digit_count = u8::try_from(digits.len()).unwrap_or(u8::MAX);
                Reply::Keypad(Keypad {
                    reader,
                    digit_count,
                    digits,
                })
            }
        }
    }
}

fn bytes(hex: &str) -> Result<Vec<u8>> {
    ensure!(
        hex.len().is_multiple_of(2) && hex.is_ascii(),
        "{hex:?} is not whole bytes in hex"
    );
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect::<Result<_>>()
        .with_context(|| format!("{hex:?} is no hex"))
}

/// Shows what the line says; the answer, or none to an empty line.
pub fn obey(line: &str, show: impl Fn(&Shown) -> bool) -> Option<String> {
    match line.parse::<Shown>() {
        _ if line.trim().is_empty() => None,
        Ok(shown) if show(&shown) => Some("ok\n".to_owned()),
        Ok(shown) => Some(format!(
            "refused: no controller has the address {}\n",
            shown.address
        )),
        Err(error) => Some(format!("refused: {error:#}\n")),
    }
}

/// Obeys standard input in a thread of its own: the runtime would wait for its end before the process ends.
pub fn obey_typed(show: impl Fn(&Shown) -> bool + Send + 'static) {
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if let Some(answer) = obey(&line, &show) {
                // Whoever typed may not care for the answer.
                let _ = std::io::stdout().write_all(answer.as_bytes());
            }
        }
    });
}

/// Obeys what comes over one connection.
async fn obey_connection(stream: TcpStream, show: impl Fn(&Shown) -> bool) -> Result<()> {
    let (input, mut output) = stream.into_split();
    let mut lines = BufReader::new(input).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(answer) = obey(&line, &show) {
            output.write_all(answer.as_bytes()).await?;
        }
    }
    Ok(())
}

/// Obeys everybody who connects, one after the other.
///
/// # Errors
/// When the listener breaks.
pub async fn obey_all(listener: TcpListener, show: impl Fn(&Shown) -> bool) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await.context("accepting a connection")?;
        if let Err(error) = obey_connection(stream, &show).await {
            tracing::debug!(%error, "a control connection ended");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::Scan;
    use crate::adapters::scan::Keypads;

    #[test]
    fn what_is_shown_is_what_the_bridge_reads() {
        let now = tokio::time::Instant::now();
        let long = "x".repeat(600);
        for (line, scan) in [
            (
                "card 5 0 26 AABBCC80",
                Scan::card(26, &[0xAA, 0xBB, 0xCC, 0x80]),
            ),
            ("text 5 0 L1.a.b", Scan::Text("L1.a.b".into())),
            (&format!("text 5 0 {long}"), Scan::Text(long.clone())),
            ("keys 5 0 123456", Scan::Digits("123456".into())),
        ] {
            let shown: Shown = line.parse().unwrap();
            let bytes = shown.reply().encode_data().unwrap();
            let reply = Reply::decode(shown.reply().code(), &bytes).unwrap();
            assert_eq!(
                Keypads::default().read(&reply, now),
                Some((0, scan)),
                "{line}"
            );
        }
    }

    #[test]
    fn a_wrong_line_says_what_is_wrong() {
        for (line, named) in [
            ("card 5 0 26 AABB", "26 bits are not 2 bytes"),
            ("card 5 0 8 XX", "no hex"),
            ("wave 5 0 x", "neither card"),
            ("text 5", "reader is missing"),
            ("text 5 0 a b", "more on the line"),
        ] {
            let error = format!("{:#}", line.parse::<Shown>().unwrap_err());
            assert!(error.contains(named), "{line} -> {error}");
        }
    }
}
