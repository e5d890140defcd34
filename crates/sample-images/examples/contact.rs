//! temporary
use image::{DynamicImage, ImageDecoder, ImageReader, imageops};
fn main() -> anyhow::Result<()> {
    let folder = std::path::Path::new("/tmp/h/samples");
    let start = std::time::Instant::now();
    let samples = sample_images::write_samples(folder)?;
    eprintln!("{:?} {}", start.elapsed(), samples.len());
    let mut sheets = vec![];
    let mut at = 0;
    let mut sheet = image::RgbImage::new(1500, 1500);
    let hasher = image_hasher::HasherConfig::with_bytes_type::<[u8; 8]>().hash_size(8, 8).hash_alg(image_hasher::HashAlg::Median).preproc_dct().to_hasher();
    let mut hashes = vec![];
    for s in &samples {
        let r = ImageReader::open(folder.join(&s.name))?.with_guessed_format()?.into_decoder();
        let Ok(mut d) = r else { eprintln!("no: {}", s.name); continue };
        let o = d.orientation()?;
        let Ok(mut i) = DynamicImage::from_decoder(d) else { eprintln!("no: {}", s.name); continue };
        i.apply_orientation(o);
        let small = i.resize_exact(64, 64, imageops::FilterType::Triangle);
        hashes.push((s.name.clone(), u64::from_be_bytes(hasher.hash_image(&small).into_inner())));
        let t = i.resize(490, 490, imageops::FilterType::Triangle).to_rgba8();
        imageops::overlay(&mut sheet, &DynamicImage::from(t).to_rgb8(), (at % 3) * 500 + 5, (at / 3) * 500 + 5);
        at += 1;
        if at == 9 { at = 0; sheets.push(std::mem::replace(&mut sheet, image::RgbImage::new(1500, 1500))); }
    }
    sheets.push(sheet);
    let mut ph = vec![];
    for s in &samples {
        match imaging::inspect(&std::fs::read(folder.join(&s.name))?, &imaging::Limits::default()) {
            Ok(i) => { eprintln!("I {} {:?} {}x{} {:?} anim={} {:?}", s.name, i.format, i.width, i.height, i.orientation, i.animated, s.expected); if !i.exif.is_null() && s.name.contains("/1 ") {eprintln!("{}", i.exif)}; ph.push((s.name.clone(), i.perceptual_hash)) }
            Err(e) => eprintln!("I {} ERR {e} {:?}", s.name, s.expected),
        }
    }
    for (i, a) in ph.iter().enumerate() { for b in &ph[..i] { let d = (a.1 ^ b.1).count_ones(); if d <= 5 { eprintln!("P {d} {} | {}", a.0, b.0); } } }
    for (n, s) in sheets.iter().enumerate() { s.save(format!("/tmp/h/sheet{n}.png"))?; }
    for (i, a) in hashes.iter().enumerate() { for b in &hashes[..i] { let d = (a.1 ^ b.1).count_ones(); if d < 10 { eprintln!("{d} {} {}", a.0, b.0); } } }
    Ok(())
}
