//! Scenes as files: every container and pixel kind that a newcomer's folder may hold.

use std::error::Error;
use std::io::Cursor;

use image::codecs::gif::{GifEncoder, Repeat};
use image::codecs::webp::WebPEncoder;
use image::{Delay, DynamicImage, ExtendedColorType, Frame, ImageBuffer, ImageFormat, RgbImage, RgbaImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::canvas::Canvas;
use crate::exif::Exif;
use crate::light::{NOON, rgb};
use crate::random::wave;
use crate::scene::Shot;

/// How a scene is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    /// JPEG of this quality.
    Jpeg(u8),
    ProgressiveJpeg,
    GrayJpeg,
    CmykJpeg,
    /// JPEG with EXIF, its pixels stored so that the orientation turns them upright.
    TurnedJpeg(Exif),
    /// A round badge with soft edges, cut from the scene.
    AlphaPng,
    Png16,
    /// 252 colours, dithered.
    PalettePng,
    WebP,
    /// Two frames: by day, and by the scene's own light.
    Gif,
    Bmp,
    Tiff,
}

/// Film grain of what a camera takes; the lossless formats go without, which keeps them small.
const GRAIN: f32 = 0.012;
const QUALITY: u8 = 86;

type Encoded = Result<Vec<u8>, Box<dyn Error + Send + Sync>>;

/// The file's bytes.
pub(crate) fn encode(shot: &Shot, format: Format) -> Encoded {
    let canvas = shot.take();
    match format {
        Format::Jpeg(quality) => jpeg(&camera(&canvas)?, quality, |_| Ok(())),
        Format::ProgressiveJpeg => jpeg(&camera(&canvas)?, QUALITY, |encoder| {
            encoder.set_progressive(true);
            Ok(())
        }),
        Format::GrayJpeg => {
            let gray = DynamicImage::from(camera(&canvas)?).into_luma8();
            finish(gray.as_raw(), gray.dimensions(), ColorType::Luma)
        }
        Format::CmykJpeg => {
            let inks: Vec<u8> = canvas.to_rgb8(GRAIN).as_chunks().0.iter().flat_map(separate).collect();
            finish(&inks, canvas.size(), ColorType::Cmyk)
        }
        Format::TurnedJpeg(exif) => {
            let stored = turned(camera(&canvas)?, exif.orientation);
            jpeg(&stored, QUALITY, |encoder| encoder.add_app_segment(1, exif.to_segment()))
        }
        Format::AlphaPng => stock(&badge(&plain(&canvas)?).into(), ImageFormat::Png),
        Format::Png16 => {
            let (width, height) = canvas.size();
            let pixels = ImageBuffer::from_raw(width, height, canvas.to_rgb16()).ok_or("short picture")?;
            stock(&DynamicImage::ImageRgb16(pixels), ImageFormat::Png)
        }
        Format::PalettePng => palette_png(&canvas),
        Format::WebP => {
            let mut file = Vec::new();
            let (width, height) = canvas.size();
            let encoder = WebPEncoder::new_lossless(&mut file);
            encoder.encode(&canvas.to_rgb8(0.0), width, height, ExtendedColorType::Rgb8)?;
            Ok(file)
        }
        Format::Gif => gif(&[plain(&Shot { light: &NOON, ..*shot }.take())?, plain(&canvas)?]),
        Format::Bmp => stock(&plain(&canvas)?.into(), ImageFormat::Bmp),
        Format::Tiff => stock(&plain(&canvas)?.into(), ImageFormat::Tiff),
    }
}

fn camera(canvas: &Canvas) -> Result<RgbImage, &'static str> {
    let (width, height) = canvas.size();
    RgbImage::from_raw(width, height, canvas.to_rgb8(GRAIN)).ok_or("short picture")
}

fn plain(canvas: &Canvas) -> Result<RgbImage, &'static str> {
    let (width, height) = canvas.size();
    RgbImage::from_raw(width, height, canvas.to_rgb8(0.0)).ok_or("short picture")
}

type Setting = Result<(), jpeg_encoder::EncodingError>;

fn jpeg(
    picture: &RgbImage,
    quality: u8,
    settle: impl FnOnce(&mut Encoder<&mut Vec<u8>>) -> Setting,
) -> Encoded {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, quality);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    settle(&mut encoder)?;
    let (width, height) = picture.dimensions();
    encoder.encode(picture.as_raw(), u16::try_from(width)?, u16::try_from(height)?, ColorType::Rgb)?;
    Ok(file)
}

/// A JPEG of another colour space.
fn finish(samples: &[u8], (width, height): (u32, u32), colour: ColorType) -> Encoded {
    let mut file = Vec::new();
    let encoder = Encoder::new(&mut file, 90);
    encoder.encode(samples, u16::try_from(width)?, u16::try_from(height)?, colour)?;
    Ok(file)
}

/// Ink for light, with all the black that there is.
fn separate([r, g, b]: &[u8; 3]) -> [u8; 4] {
    let lightest = u32::from(*r.max(g).max(b));
    let ink = |level: u8| match lightest {
        0 => 0,
        _ => (255 * (lightest - u32::from(level)) / lightest) as u8,
    };
    [ink(*r), ink(*g), ink(*b), (255 - lightest) as u8]
}

/// The upright picture as it must be stored under this orientation: the inverse of what the tag asks for.
fn turned(upright: RgbImage, orientation: u16) -> RgbImage {
    use image::imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
    match orientation {
        2 => flip_horizontal(&upright),
        3 => rotate180(&upright),
        4 => flip_vertical(&upright),
        5 => flip_horizontal(&rotate90(&upright)),
        6 => rotate270(&upright),
        7 => flip_horizontal(&rotate270(&upright)),
        8 => rotate90(&upright),
        _ => upright,
    }
}

fn stock(picture: &DynamicImage, format: ImageFormat) -> Encoded {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format)?;
    Ok(file.into_inner())
}

/// The middle of the scene as a disc with a soft edge and a ring around it.
fn badge(scene: &RgbImage) -> RgbaImage {
    let (width, height) = scene.dimensions();
    let (middle, radius) = ((width as f32 / 2.0, height as f32 / 2.0), width.min(height) as f32 / 2.0);
    let ring = rgb(0xf4b63c).map(|level| (level * 255.0) as u8);
    RgbaImage::from_fn(width, height, |x, y| {
        let (dx, dy) = (x as f32 + 0.5 - middle.0, y as f32 + 0.5 - middle.1);
        let out = (dx * dx + dy * dy).sqrt() / radius;
        let [r, g, b] = if out > 0.8 { ring } else { scene.get_pixel(x, y).0 };
        let cover = if out > 0.88 { (0.98 - out) / 0.1 } else { 1.0 };
        image::Rgba([r, g, b, (cover.clamp(0.0, 1.0) * 255.0) as u8])
    })
}

/// Levels of red, green and blue in the palette.
const LEVELS: [u32; 3] = [6, 7, 6];

/// Ordered dithering with Bayer's 4 × 4 matrix, onto an even palette.
fn palette_png(canvas: &Canvas) -> Encoded {
    const BAYER: [[u32; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];
    let (width, height) = canvas.size();
    let picture = plain(canvas)?;
    let mut indices = Vec::with_capacity((width * height) as usize);
    for (x, y, pixel) in picture.enumerate_pixels() {
        let threshold = BAYER[y as usize % 4][x as usize % 4] * 16 + 8;
        let index = pixel.0.iter().zip(LEVELS).fold(0, |index, (level, count)| {
            let scaled = u32::from(*level) * (count - 1);
            index * count + scaled / 255 + u32::from(scaled % 255 > threshold)
        });
        indices.push(u8::try_from(index)?);
    }
    let mut palette = Vec::new();
    for index in 0..LEVELS.iter().product() {
        let [_, greens, blues] = LEVELS;
        let steps = [index / (greens * blues), index / blues % greens, index % blues];
        for (step, count) in steps.into_iter().zip(LEVELS) {
            palette.push(u8::try_from(step * 255 / (count - 1))?);
        }
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_palette(palette);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&indices)?;
    writer.finish()?;
    Ok(file)
}

fn gif(frames: &[RgbImage]) -> Encoded {
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut file, 30);
    encoder.set_repeat(Repeat::Infinite)?;
    for picture in frames {
        let rgba = DynamicImage::from(picture.clone()).into_rgba8();
        encoder.encode_frame(Frame::from_parts(rgba, 0, 0, Delay::from_numer_denom_ms(800, 1)))?;
    }
    drop(encoder);
    Ok(file)
}

/// A vector drawing of a sun behind a hill, which is no raster image.
pub(crate) fn svg() -> Vec<u8> {
    let mut rays = String::new();
    for ray in 0..8 {
        let turn = ray as f32 / 8.0;
        let (x, y) = (160.0 + 90.0 * wave(turn + 0.25), 110.0 + 90.0 * wave(turn));
        rays.push_str(&format!("  <line x1=\"160\" y1=\"110\" x2=\"{x:.0}\" y2=\"{y:.0}\" stroke=\"#f4b63c\" stroke-width=\"6\"/>\n"));
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"320\" height=\"240\" viewBox=\"0 0 320 240\">\n\
         {rays}  <circle cx=\"160\" cy=\"110\" r=\"50\" fill=\"#f4b63c\"/>\n  \
         <path d=\"M0 200 Q160 120 320 200 V240 H0 Z\" fill=\"#5f8a3c\"/>\n</svg>\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests;
