//! From pixels to a variant's bytes. Equal pixels and settings give equal bytes: no time stamps, no metadata,
//! and single-threaded encoders at fixed settings.

use std::borrow::Cow;
use std::fmt;

use ::jpeg::PlaneBuf;
use turbojpeg::{Compressor, PixelFormat, Subsamp};
use types::{JpegQuality, OutputFormat};

use crate::ImageError;
use crate::raster::{Channels, Raster};

/// Encodes one picture after another.
#[derive(Default)]
pub(crate) struct Encoder {
    jpeg: Option<Compressor>,
    planes: jpeg::Encoder,
}

impl Encoder {
    /// Encodes RGB or RGBA pixels.
    pub(crate) fn encode(&mut self, raster: &Raster, format: OutputFormat) -> Result<Vec<u8>, ImageError> {
        match format {
            OutputFormat::Jpeg { quality } => self.jpeg(raster, quality),
            OutputFormat::Png => png(tight(raster)?.as_ref()),
            OutputFormat::WebP { quality } => webp(tight(raster)?.as_ref(), quality),
        }
    }

    /// Encodes luminance, blue and red chrominance, of which two pixels share a sample, across and down.
    pub(crate) fn planes(
        &mut self,
        planes: [&PlaneBuf; 3],
        quality: JpegQuality,
    ) -> Result<Vec<u8>, ImageError> {
        self.planes.encode(planes.map(PlaneBuf::as_plane), quality.get()).map_err(failed)
    }

    fn jpeg(&mut self, raster: &Raster, quality: JpegQuality) -> Result<Vec<u8>, ImageError> {
        let format = match raster.channels() {
            Channels::Rgb => PixelFormat::RGB,
            Channels::Rgbx => PixelFormat::RGBX,
            other @ (Channels::Gray | Channels::Rgba | Channels::Cmyk) => {
                return Err(failed(format!("JPEG of {other:?}")));
            }
        };
        let (width, height) = raster.size();
        let image = turbojpeg::Image {
            pixels: raster.samples(),
            width: width as usize,
            pitch: raster.stride(),
            height: height as usize,
            format,
        };
        let compressor = match &mut self.jpeg {
            Some(compressor) => compressor,
            none => none.insert(Compressor::new().map_err(failed)?),
        };
        compressor.set_quality(i32::from(quality.get())).map_err(failed)?;
        compressor.set_subsamp(Subsamp::Sub2x2).map_err(failed)?;
        compressor.compress_to_vec(image).map_err(failed)
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

/// Pixels as encoders other than libjpeg-turbo take them.
fn tight(raster: &Raster) -> Result<Cow<'_, Raster>, ImageError> {
    if raster.channels() != Channels::Rgbx {
        return Ok(Cow::Borrowed(raster));
    }
    let samples = raster.samples().as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect();
    Raster::new(raster.size(), Channels::Rgb, samples).map(Cow::Owned)
}

fn png(raster: &Raster) -> Result<Vec<u8>, ImageError> {
    let (width, height) = raster.size();
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, width, height);
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_color(match raster.channels() {
        Channels::Rgb => ::png::ColorType::Rgb,
        Channels::Rgba => ::png::ColorType::Rgba,
        other @ (Channels::Gray | Channels::Rgbx | Channels::Cmyk) => {
            return Err(failed(format!("PNG of {other:?}")));
        }
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
        other @ (Channels::Gray | Channels::Rgbx | Channels::Cmyk) => {
            return Err(failed(format!("WebP of {other:?}")));
        }
    };
    let encoded = encoder.encode_simple(false, f32::from(quality.get()));
    encoded.map(|bytes| bytes.to_vec()).map_err(|error| failed(format!("{error:?}")))
}

fn failed(error: impl std::fmt::Display) -> ImageError {
    ImageError::Codec(format!("encode: {error}"))
}
