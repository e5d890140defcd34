#!/usr/bin/env bash
# Draws sample images and turns them into a published dataset. Downloads nothing but Rust dependencies.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/tools.sh

require build
build_imageml

demo=$PWD/target/demo
rm -rf "$demo"
mkdir -p "$demo"
"$IMAGEML" demo --output "$demo/images"
"$IMAGEML" run --input "$demo/images" --dataset demo --split 80/10/10 --home "$demo/home"

dataset=$demo/home/s3/imageml-gold/demo/v1
[[ -f $dataset/manifest.json ]] || { echo "the dataset is not in $dataset" >&2; exit 1; }
cat <<END

The images:   $demo/images
The dataset:  $dataset
Look inside:  tar tf $(printf '%s\n' "$dataset"/*/*.tar | head -n 1)
Check it:     $IMAGEML dataset verify demo@1 --home $demo/home
END
