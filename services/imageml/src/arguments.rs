//! The command line.

mod annotations;
mod dlq;
mod preview;

use std::path::PathBuf;
use std::str::FromStr;

use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand};
use image_workers::{ImageWorkers, WorkerArguments};
use ingest::AnnotationArguments;
use normalize::PolicyArguments;
use service::{LogFormat, Secret};
use shard::PlanArguments;
use types::{DatasetName, RejectCode, S3Uri, StageName, VersionNumber};

pub(crate) use self::annotations::{AnnotationsCommand, ExportArguments, ImportArguments};
pub(crate) use self::dlq::{DlqCommand, DlqListArguments, DlqRedriveArguments, QueueArguments};
pub(crate) use self::preview::PreviewArguments;

/// Images in, versioned training-ready datasets out
#[derive(Debug, Parser)]
#[command(
    name = "imageml",
    version,
    after_help = "\
Examples:
  imageml run --input ~/photos --dataset holiday
  imageml run --input s3://bucket/prefix --dataset big --sizes 1080p,640x640:crop
  imageml dataset show holiday
  imageml preview --dataset holiday --variant 720p --output sheet.png
  imageml rejected list holiday
  imageml dlq list --queue-url http://localhost:9324/000000000000/inbox"
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// What is logged.
    #[command(flatten)]
    pub(crate) log: CliLog,
}

/// Logs of a command-line tool: quiet unless something is wrong.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs")]
pub(crate) struct CliLog {
    /// What to log: a level, or directives like `info,pipeline=debug`
    #[arg(long = "log", env = "IMAGEML_LOG", default_value = "warn", value_name = "FILTER", global = true)]
    pub(crate) filter: String,
    /// How log lines look
    #[arg(long, env = "IMAGEML_LOG_FORMAT", default_value = "text", value_name = "FORMAT", global = true)]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Turn a folder or bucket of images into a published dataset version
    Run(Box<RunArguments>),
    /// Make renditions of a local folder: stage 2's computation alone, no S3, no database
    Normalize(Box<NormalizeArguments>),
    /// Build a curated training dataset from a published version
    Curate(CurateArguments),
    /// Write a few dozen sample images to try the pipeline on
    Demo(DemoArguments),
    /// List datasets, show one, walk its lineage, verify a version
    Dataset {
        #[command(subcommand)]
        command: DatasetCommand,
        #[command(flatten)]
        backend: BackendArguments,
    },
    /// List what was rejected and why, and put it back to work
    Rejected {
        #[command(subcommand)]
        command: RejectedCommand,
        #[command(flatten)]
        backend: BackendArguments,
    },
    /// What people and models say of images: import, report, export
    Annotations {
        #[command(subcommand)]
        command: AnnotationsCommand,
    },
    /// Draw samples of a published version on one sheet, with their annotations burnt in
    Preview(PreviewArguments),
    /// Say whether an object has been processed by a stage
    Processed(ProcessedArguments),
    /// List the messages that nobody could work on, and put them back to work
    Dlq {
        #[command(subcommand)]
        command: DlqCommand,
    },
}

/// Which manifest store and object store to look into.
#[derive(Debug, Clone, Args)]
pub(crate) struct BackendArguments {
    /// The folder that holds everything of the embedded default [default: imageml in the user's data directory]
    #[arg(long, env = "IMAGEML_HOME", value_name = "DIR", global = true)]
    pub(crate) home: Option<PathBuf>,
    /// A cluster's manifest store instead, unless a home is given (objects are then read with the AWS SDK's own settings)
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", global = true)]
    pub(crate) database_url: Option<Secret>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What every command takes that works in a home.
#[derive(Debug, Clone, Args)]
pub(crate) struct HomeArguments {
    /// The folder that holds everything [default: imageml in the user's data directory]
    #[arg(long, env = "IMAGEML_HOME", value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Print one JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// A folder or a bucket.
#[derive(Debug, Clone)]
pub(crate) enum InputLocation {
    Folder(PathBuf),
    Bucket(S3Uri),
}

impl FromStr for InputLocation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("s3://") {
            return text.parse().map(Self::Bucket).map_err(|error: types::InvalidUri| error.to_string());
        }
        let folder = PathBuf::from(text);
        if folder.is_dir() {
            Ok(Self::Folder(folder))
        } else {
            Err("neither a folder that exists nor an s3:// URI".to_owned())
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Interrupt it whenever you like and run it again: it goes on where it was. A second run over the same images does \
nothing; new images make the next version. A folder is read in place and never written to.

Examples:
  imageml run --input ~/photos --dataset holiday --sizes 1080p,720p,800x600
  imageml run --input ~/street --dataset street --annotations export.json
  AWS_ENDPOINT_URL=http://localhost:9000 imageml run --input s3://bucket/prefix --dataset big --json")]
pub(crate) struct RunArguments {
    /// A folder, or s3://bucket/prefix (endpoint and credentials are the AWS SDK's own settings)
    #[arg(long, short, value_name = "DIR|URI")]
    pub(crate) input: InputLocation,
    /// The dataset's name
    #[arg(long, short, value_name = "NAME")]
    pub(crate) dataset: DatasetName,
    /// Where, and how it is said.
    #[command(flatten)]
    pub(crate) at: HomeArguments,
    /// Fail when an image was rejected, or an annotation file not imported whole
    #[arg(long)]
    pub(crate) strict: bool,
    /// A Label Studio or COCO file to import before the version is made; may be given several times
    #[arg(long = "annotations", value_name = "FILE")]
    pub(crate) annotation_files: Vec<PathBuf>,
    /// How annotation files are read.
    #[command(flatten)]
    pub(crate) annotations: AnnotationArguments,
    /// What renditions look like.
    #[command(flatten)]
    pub(crate) policy: PolicyArguments,
    /// What the version looks like.
    #[command(flatten)]
    pub(crate) plan: PlanArguments,
    /// How the machine is used.
    #[command(flatten)]
    pub(crate) machine: MachineArguments,
}

/// How the machine is used.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct MachineArguments {
    /// Threads that compute [default: one per core]
    #[arg(long, env = "CPU_THREADS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) cpu_threads: Option<u16>,
    /// Memory that decoded pictures and annotation files may take at once
    #[arg(long, env = "DECODE_MEMORY", default_value = "768MiB", value_name = "SIZE")]
    pub(crate) decode_memory: ByteSize,
    /// The most that work in progress may take on the staging disk [default: what is free]
    #[arg(long, env = "NVME_QUOTA", value_name = "SIZE")]
    pub(crate) nvme_quota: Option<ByteSize>,
    /// How pictures are decoded.
    #[command(flatten)]
    decoders: WorkerArguments,
}

impl MachineArguments {
    /// Those who decode pictures.
    pub(crate) fn workers(&self) -> ImageWorkers {
        ImageWorkers::new(self.decoders.settings(self.cpu_threads, self.decode_memory.as_u64()))
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Renditions are written to OUTPUT/<variant>/<path below INPUT>, with the format's extension appended where it differs.

Example:
  imageml normalize --input ~/photos --output /tmp/small --sizes 720p,640x640:crop")]
pub(crate) struct NormalizeArguments {
    /// The folder to read
    #[arg(long, short, value_name = "DIR")]
    pub(crate) input: PathBuf,
    /// The folder to write
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Print one JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Fail when an image was rejected
    #[arg(long)]
    pub(crate) strict: bool,
    /// What renditions look like.
    #[command(flatten)]
    pub(crate) policy: PolicyArguments,
    /// How the machine is used.
    #[command(flatten)]
    pub(crate) machine: MachineArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example request:
  {\"name\": \"street-train\", \"dataset\": \"street\", \"version\": 1, \"variant\": \"720p\", \"splits\": [\"train\"],
   \"min_width\": 600, \"limit\": 1000, \"output\": \"webdataset\", \"annotation_files\": [\"coco\"]}")]
pub(crate) struct CurateArguments {
    /// The request, a JSON file
    #[arg(value_name = "REQUEST")]
    pub(crate) request: PathBuf,
    /// Where, and how it is said.
    #[command(flatten)]
    pub(crate) at: HomeArguments,
    /// How the machine is used.
    #[command(flatten)]
    pub(crate) machine: MachineArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  imageml demo --output /tmp/samples && imageml run --input /tmp/samples --dataset demo")]
pub(crate) struct DemoArguments {
    /// The folder to write
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DatasetCommand {
    /// List the datasets
    List,
    /// Show a dataset and its versions
    Show {
        /// The dataset
        name: DatasetName,
    },
    /// Show what an object was made from, and what was made of it
    Lineage {
        /// The object, s3://bucket/key
        uri: S3Uri,
        /// The most steps shown each way
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Read a published version again and compare every byte with its manifest
    Verify {
        /// The version, NAME@N
        version: VersionReference,
    },
}

/// `NAME@N`
#[derive(Debug, Clone)]
pub(crate) struct VersionReference {
    pub(crate) dataset: DatasetName,
    pub(crate) version: VersionNumber,
}

impl FromStr for VersionReference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (dataset, version) = text.rsplit_once('@').ok_or("expected NAME@N, like holiday@1")?;
        let dataset = dataset.parse().map_err(|error: types::InvalidId| error.to_string())?;
        Ok(Self { dataset, version: version.parse()? })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum RejectedCommand {
    /// List what was rejected, with the reason
    List {
        /// The dataset
        name: DatasetName,
    },
    /// Put rejected objects back to work; the next run or service takes them
    Redrive {
        /// The dataset
        name: DatasetName,
        /// Only those with this reason, like truncated
        #[arg(long)]
        reason: Option<RejectCode>,
        /// Only count them
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ProcessedArguments {
    /// The stage: ingest, normalize, shard or curate
    #[arg(long)]
    pub(crate) stage: StageName,
    /// The object, s3://bucket/key
    pub(crate) uri: S3Uri,
    #[command(flatten)]
    pub(crate) backend: BackendArguments,
}

impl CliLog {
    pub(crate) fn arguments(&self) -> service::LogArguments {
        // The embedded server's library logs every 404 and 412 as an error: for us they are answers.
        let filter = format!("s3s=off,{}", self.filter);
        service::LogArguments { filter, log_format: self.log_format }
    }
}
