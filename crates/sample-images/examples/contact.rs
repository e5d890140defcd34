//! temporary
use image::{DynamicImage, ImageDecoder, ImageReader, imageops};
use image_hasher::HashAlg;
fn main() -> anyhow::Result<()> {
    let folder = std::path::Path::new("/work/target/tmp/sample-images");
    let mut sheet = image::RgbImage::new(1500, 1500);
    for (at, n) in ["orientation/2 barn.jpg", "orientation/7 street.jpg", "beach/Étretat.jpg", "country/Winter/aurora.jpg", "country/daisy.jpg", "formats/progressive.jpg", "formats/cmyk.jpg", "country/road.jpg", "formats/palette.png"].iter().enumerate() {
        let mut d = ImageReader::open(folder.join(n))?.with_guessed_format()?.into_decoder()?;
        let o = d.orientation()?;
        let mut i = DynamicImage::from_decoder(d)?;
        i.apply_orientation(o);
        let t = i.resize(490, 490, imageops::FilterType::Triangle).to_rgb8();
        imageops::overlay(&mut sheet, &t, (at as i64 % 3) * 500 + 5, (at as i64 / 3) * 500 + 5);
    }
    sheet.save("/tmp/h/sheet9.png")?;
    let mut smalls = vec![];
    for e in std::fs::read_dir("/work/shared/data/photos")? {
        let p = e?.path();
        let Ok(r) = ImageReader::open(&p)?.with_guessed_format() else { continue };
        let Ok(i) = r.decode() else { continue };
        smalls.push((p.file_name().map(|n| n.to_string_lossy().into_owned()), i.resize_exact(64, 64, imageops::FilterType::Triangle)));
        if smalls.len() >= 150 { break }
    }
    for alg in [HashAlg::Mean, HashAlg::Median] {
        let hasher = image_hasher::HasherConfig::with_bytes_type::<[u8; 8]>().hash_size(8, 8).hash_alg(alg).preproc_dct().to_hasher();
        let h: Vec<u64> = smalls.iter().map(|s| u64::from_be_bytes(hasher.hash_image(&s.1).into_inner())).collect();
        let (mut near, mut all, mut sum) = (0, 0, 0u64);
        for (i, a) in h.iter().enumerate() { for b in &h[..i] { let d = (a ^ b).count_ones(); all += 1; sum += u64::from(d); near += u32::from(d <= 3); } }
        eprintln!("{alg:?}: {} photos, {near} of {all} pairs within 3, mean distance {:.1}, mean set bits {:.1}", h.len(), sum as f64 / f64::from(all), h.iter().map(|x| x.count_ones()).sum::<u32>() as f64 / h.len() as f64);
    }
    Ok(())
}
