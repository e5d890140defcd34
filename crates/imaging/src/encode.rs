//! From pixels to a variant's bytes. Equal pixels and settings give equal bytes: no time stamps, no metadata,
//! and single-threaded encoders at fixed settings.

use types::{JpegQuality, OutputFormat};

use crate::ImageError;
use crate::raster::{Channels, Raster};

/// Encodes RGB or RGBA pixels.
pub(crate) fn encode(raster: &Raster, format: OutputFormat) -> Result<Vec<u8>, ImageError> {
    match format {
        OutputFormat::Jpeg { quality } => jpeg(raster, quality),
        OutputFormat::Png => png(raster),
        OutputFormat::WebP { quality } => webp(raster, quality),
    }
}

fn jpeg(raster: &Raster, quality: JpegQuality) -> Result<Vec<u8>, ImageError> {
    if raster.channels() != Channels::Rgb {
        return Err(failed(format!("JPEG of {:?}", raster.channels())));
    }
    let (width, height) = raster.size();
    let image = turbojpeg::Image {
        pixels: raster.samples(),
        width: width as usize,
        pitch: raster.stride(),
        height: height as usize,
        format: turbojpeg::PixelFormat::RGB,
    };
    let mut compressor = turbojpeg::Compressor::new().map_err(failed)?;
    compressor.set_quality(i32::from(quality.get())).map_err(failed)?;
    compressor.set_subsamp(turbojpeg::Subsamp::Sub2x2).map_err(failed)?;
    compressor.compress_to_vec(image).map_err(failed)
}

fn png(raster: &Raster) -> Result<Vec<u8>, ImageError> {
    let (width, height) = raster.size();
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, width, height);
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_color(match raster.channels() {
        Channels::Rgb => ::png::ColorType::Rgb,
        Channels::Rgba => ::png::ColorType::Rgba,
        other @ (Channels::Gray | Channels::Cmyk) => return Err(failed(format!("PNG of {other:?}"))),
    });
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(raster.samples()).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

fn webp(raster: &Raster, quality: JpegQuality) -> Result<Vec<u8>, ImageError> {
    let (width, height) = raster.size();
    let encoder = match raster.channels() {
        Channels::Rgb => ::webp::Encoder::from_rgb(raster.samples(), width, height),
        Channels::Rgba => ::webp::Encoder::from_rgba(raster.samples(), width, height),
        other @ (Channels::Gray | Channels::Cmyk) => return Err(failed(format!("WebP of {other:?}"))),
    };
    let encoded = encoder.encode_simple(false, f32::from(quality.get()));
    encoded.map(|bytes| bytes.to_vec()).map_err(|error| failed(format!("{error:?}")))
}

fn failed(error: impl std::fmt::Display) -> ImageError {
    ImageError::Codec(format!("encode: {error}"))
}
