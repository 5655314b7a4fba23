//! Layers as files: `apply` unpacks one, `pack` makes one, `ids` says what they are called.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use flate2::write::GzEncoder;
use images::layer::compression;
use images::{Digest, Hasher, HashingReader, Layer, LayerWriter, Tree, TreeWalk};
use namespaces::identity::is_the_machines_root;

/// An argument that is a path.
pub(super) fn path(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).value_name(value).help(help).required(true).value_parser(value_parser!(PathBuf))
}

/// What was given for it.
pub(super) fn given<'a>(arguments: &'a ArgMatches, name: &str) -> Result<&'a Path> {
    arguments.get_one::<PathBuf>(name).map(PathBuf::as_path).with_context(|| format!("{name} is missing"))
}

/// `apply` and its arguments.
pub fn apply_command() -> Command {
    let on = path("on", "BELOW", "A directory with a layer below it, bottom first: a hard link may lead there");
    Command::new("apply")
        .about("Unpack the layer in LAYER, a tar archive, into the new directory DIR")
        .arg(path("layer", "LAYER", "As it is, or compressed with gzip or zstd"))
        .arg(path("dir", "DIR", "A directory that does not exist yet"))
        .arg(on.long("on").required(false).action(ArgAction::Append))
}

/// `apply`: a layer as overlayfs wants it on disk.
pub fn apply(arguments: &ArgMatches) -> Result<u8> {
    let (layer, dir) = (given(arguments, "layer")?, given(arguments, "dir")?);
    let below: Vec<PathBuf> = arguments.get_many("on").into_iter().flatten().cloned().collect();
    let layer = open(layer)?;
    fs::create_dir(dir).with_context(|| format!("make {}", dir.display()))?;
    let done = unpack(&layer, dir, &below);
    if done.is_err() {
        images::remove_tree(dir)?;
    }
    for warning in done?.warnings() {
        eprintln!("ch04-images: {warning}");
    }
    Ok(0)
}

fn unpack(layer: &File, dir: &Path, below: &[PathBuf]) -> Result<images::Skipped> {
    let (compression, bytes) = compression::detect(layer)?;
    let mut contents = compression.reader(bytes)?;
    let mut tree = Tree::new(dir, !is_the_machines_root())?;
    images::apply_layer(&mut Layer::new(&mut contents), &mut tree)?;
    let unpacked = tree.finish()?;
    unpacked.deferred.settle(dir, below)?;
    Ok(unpacked.skipped)
}

/// `pack` and its arguments.
pub fn pack_command() -> Command {
    Command::new("pack")
        .about("Write what is in UPPER, the upper directory of an overlay, as a layer, and say what it is called")
        .arg(path("upper", "UPPER", "What `run --overlay DIR` leaves in DIR/upper"))
        .arg(path("layer", "LAYER", "A new file; compressed if its name ends with .gz"))
}

/// `pack`: from overlayfs' form of what was changed to the form that travels.
pub fn pack(arguments: &ArgMatches) -> Result<u8> {
    let (upper, layer) = (given(arguments, "upper")?, given(arguments, "layer")?);
    let rootless = !is_the_machines_root();
    // The files are yours, and were root's in the container: what they are there is what goes into a layer.
    chroot::own_user()?;
    let mut upper = TreeWalk::upper(upper, rootless)?;
    let file = File::create_new(layer).with_context(|| format!("make {}", layer.display()))?;
    let mut out = BufWriter::new(file);
    let written = match layer.extension().is_some_and(|extension| extension == "gz") {
        true => {
            let mut encoder = GzEncoder::new(out, flate2::Compression::default());
            write(&mut upper, &mut encoder).and_then(|()| Ok(encoder.finish()?.flush()?))
        }
        false => write(&mut upper, &mut out).and_then(|()| Ok(out.flush()?)),
    };
    if written.is_err() {
        let _ = fs::remove_file(layer);
    }
    written.with_context(|| format!("write {}", layer.display()))?;
    let (digest, diff_id) = digests(layer)?;
    println!("digest    {digest}\ndiff id   {diff_id}");
    Ok(0)
}

fn write(upper: &mut TreeWalk, out: &mut dyn Write) -> Result<()> {
    let mut writer = LayerWriter::new(out);
    images::make_layer(upper, &mut writer)?;
    writer.finish()
}

/// `ids` and its arguments.
pub fn ids_command() -> Command {
    Command::new("ids")
        .about("Say what the layers of an image are called")
        .arg(path("layers", "LAYER", "Tar archives, compressed or not, bottom first").num_args(1..))
}

/// `ids`: the three names of each layer.
pub fn ids(arguments: &ArgMatches) -> Result<u8> {
    let layers: Vec<&PathBuf> = arguments.get_many("layers").context("LAYER is missing")?.collect();
    let named = layers.iter().map(|layer| digests(layer)).collect::<Result<Vec<_>>>()?;
    let diff_ids: Vec<Digest> = named.iter().map(|(_, diff_id)| *diff_id).collect();
    for ((layer, (digest, diff_id)), chain_id) in layers.iter().zip(named).zip(images::chain_ids(&diff_ids)) {
        println!("{}\n  digest    {digest}\n  diff id   {diff_id}\n  chain id  {chain_id}", layer.display());
    }
    Ok(0)
}

/// The digest of a layer as it is, and of what is in it: its diff id.
fn digests(layer: &Path) -> Result<(Digest, Digest)> {
    let mut bytes = HashingReader::new(open(layer)?);
    let mut diff_id = Hasher::new();
    let (compression, stream) = compression::detect(&mut bytes)?;
    let inflated = io::copy(&mut compression.reader(stream)?, &mut diff_id);
    inflated
        .and_then(|_| io::copy(&mut bytes, &mut io::sink()))
        .with_context(|| format!("read {}", layer.display()))?;
    Ok((bytes.finish().0, diff_id.finish()))
}

fn open(layer: &Path) -> Result<File> {
    File::open(layer).with_context(|| format!("open {}", layer.display()))
}
