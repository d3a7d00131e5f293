//! A QR code as a PNG picture: one bit per pixel, black on white (ISO/IEC 15948, ISO/IEC 18004).

use miniz_oxide::deflate::compress_to_vec_zlib;
use qrcodegen::{QrCode, QrCodeEcc};

/// How many pixels wide a module is.
const MODULE_PIXELS: usize = 4;
/// How many white modules stand around the code, as readers want.
const QUIET_MODULES: i32 = 4;
/// How hard the picture is packed, of 10.
const COMPRESSION_LEVEL: u8 = 6;
const SIGNATURE: &[u8] = &[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];
/// One bit per sample, grey, deflate, the usual filters, not interlaced.
const FORMAT: &[u8] = &[1, 0, 0, 0, 0];

/// Returns the picture; `None` when the text is too long for any code.
pub(super) fn png(text: &str) -> Option<Vec<u8>> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let across = -QUIET_MODULES..code.size() + QUIET_MODULES;
    let mut pixels = Vec::new();
    for y in across.clone() {
        let lights = across.clone().map(|x| !code.get_module(x, y));
        let row = packed(lights.flat_map(|light| [light; MODULE_PIXELS]));
        for _ in 0..MODULE_PIXELS {
            pixels.push(0); // this row is not filtered
            pixels.extend(&row);
        }
    }
    let side = u32::try_from(across.len() * MODULE_PIXELS).ok()?.to_be_bytes();
    let header = [&side[..], &side, FORMAT].concat();
    let data = compress_to_vec_zlib(&pixels, COMPRESSION_LEVEL);
    let chunks = [chunk(*b"IHDR", &header), chunk(*b"IDAT", &data), chunk(*b"IEND", &[])];
    Some([SIGNATURE, &chunks.concat()].concat())
}

/// Packs bits into bytes, the first into the highest; the last byte is filled with white.
fn packed(bits: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, is_set) in bits.enumerate() {
        if at % 8 == 0 {
            bytes.push(0xff);
        }
        if let (false, Some(last)) = (is_set, bytes.last_mut()) {
            *last &= !(0x80 >> (at % 8));
        }
    }
    bytes
}

/// Returns length, name, data and checksum.
fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let named = [&name[..], data].concat();
    let checksum = crc32fast::hash(&named);
    [&length.to_be_bytes()[..], &named, &checksum.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the data of a chunk.
    fn find(png: &[u8], name: [u8; 4]) -> &[u8] {
        let at = png.windows(4).position(|window| *window == name).unwrap();
        let length = u32::from_be_bytes(png[at - 4..at].try_into().unwrap());
        &png[at + 4..at + 4 + usize::try_from(length).unwrap()]
    }

    #[test]
    fn the_picture_shows_the_code_module_by_module() {
        let text = "otpauth://totp/phone@123456789012?secret=ABCDEFGH";
        let png = png(text).unwrap();
        assert_eq!(&png[..8], SIGNATURE);
        let header = find(&png, *b"IHDR");
        let side = usize::try_from(u32::from_be_bytes(header[..4].try_into().unwrap())).unwrap();
        assert_eq!((&header[4..8], &header[8..]), (&header[..4], FORMAT));
        let pixels = miniz_oxide::inflate::decompress_to_vec_zlib(find(&png, *b"IDAT")).unwrap();
        let row_bytes = 1 + side.div_ceil(8);
        assert_eq!(pixels.len(), side * row_bytes);
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        for (y, row) in pixels.chunks(row_bytes).enumerate() {
            for x in 0..side {
                let module = |at: usize| i32::try_from(at / MODULE_PIXELS).unwrap() - QUIET_MODULES;
                let is_dark = row[1 + x / 8] & (0x80 >> (x % 8)) == 0;
                assert_eq!(is_dark, code.get_module(module(x), module(y)), "{x} {y}");
            }
        }
    }

    #[test]
    fn what_no_code_can_hold_has_no_picture() {
        assert_eq!(png(&"x".repeat(4000)), None);
    }
}
