//! The structs that `docker inspect` shows, as of Docker 20.10.
//!
//! Source: <https://pkg.go.dev/github.com/docker/docker@v20.10.24+incompatible/api/types>, and `types/container` there.
//! What Tinbox knows nothing about is left out of what is printed, and is there for templates.

use crate::cli::format::shape::{Field, Shape};

/// All of them.
pub const ALL: &[&Shape] = &[
    IMAGE,
    CONFIG,
    HEALTHCHECK,
    GRAPH_DRIVER,
    ROOT_FS,
    METADATA,
    CONTAINER,
    STATE,
    HOST_CONFIG,
    RESTART_POLICY,
    NETWORKS,
];

/// `ImageInspect`.
pub const IMAGE: &Shape = &[
    Field::alias("ID", "Id"),
    Field::text("Id"),
    Field::list("RepoTags"),
    Field::list("RepoDigests"),
    Field::text("Parent"),
    Field::text("Comment"),
    Field::text("Created"),
    Field::text("Container").omitempty(),
    Field::structure("ContainerConfig", CONFIG).omitempty(),
    Field::text("DockerVersion").omitempty(),
    Field::text("Author"),
    Field::structure("Config", CONFIG),
    Field::text("Architecture"),
    Field::text("Variant").omitempty(),
    Field::text("Os"),
    Field::text("OsVersion").omitempty(),
    Field::number("Size"),
    Field::number("VirtualSize"),
    Field::structure("GraphDriver", GRAPH_DRIVER),
    Field::structure("RootFS", ROOT_FS),
    Field::structure("Metadata", METADATA),
];

/// `container.Config`.
const CONFIG: &Shape = &[
    Field::text("Hostname"),
    Field::text("Domainname"),
    Field::text("User"),
    Field::bool("AttachStdin"),
    Field::bool("AttachStdout"),
    Field::bool("AttachStderr"),
    Field::map("ExposedPorts").omitempty(),
    Field::bool("Tty"),
    Field::bool("OpenStdin"),
    Field::bool("StdinOnce"),
    Field::list("Env"),
    Field::list("Cmd"),
    Field::optional("Healthcheck", HEALTHCHECK).omitempty(),
    Field::bool("ArgsEscaped").omitempty(),
    Field::text("Image"),
    Field::map("Volumes"),
    Field::text("WorkingDir"),
    Field::list("Entrypoint"),
    Field::bool("NetworkDisabled").omitempty(),
    Field::text("MacAddress").omitempty(),
    Field::list("OnBuild"),
    Field::map("Labels"),
    Field::text("StopSignal").omitempty(),
    Field::pointer("StopTimeout").omitempty(),
    Field::list("Shell").omitempty(),
];

/// `container.HealthConfig`.
const HEALTHCHECK: &Shape = &[
    Field::list("Test").omitempty(),
    Field::number("Interval").omitempty(),
    Field::number("Timeout").omitempty(),
    Field::number("StartPeriod").omitempty(),
    Field::number("Retries").omitempty(),
];

/// `GraphDriverData`.
const GRAPH_DRIVER: &Shape = &[Field::map("Data"), Field::text("Name")];

/// `RootFS`.
const ROOT_FS: &Shape = &[Field::text("Type"), Field::list("Layers"), Field::text("BaseLayer").omitempty()];

/// `ImageMetadata`.
const METADATA: &Shape = &[Field::text("LastTagTime")];

/// `ContainerJSON`.
pub const CONTAINER: &Shape = &[
    Field::alias("ID", "Id"),
    Field::text("Id"),
    Field::text("Created"),
    Field::text("Path"),
    Field::list("Args"),
    Field::structure("State", STATE),
    Field::text("Image"),
    Field::text("ResolvConfPath").omitempty(),
    Field::text("HostnamePath").omitempty(),
    Field::text("HostsPath").omitempty(),
    Field::text("LogPath").omitempty(),
    Field::text("Name"),
    Field::number("RestartCount"),
    Field::text("Driver"),
    Field::text("Platform"),
    Field::text("MountLabel").omitempty(),
    Field::text("ProcessLabel").omitempty(),
    Field::text("AppArmorProfile").omitempty(),
    Field::list("ExecIDs").omitempty(),
    Field::structure("HostConfig", HOST_CONFIG),
    Field::structure("GraphDriver", GRAPH_DRIVER).omitempty(),
    Field::pointer("SizeRw").omitempty(),
    Field::pointer("SizeRootFs").omitempty(),
    Field::list("Mounts").omitempty(),
    Field::structure("Config", CONFIG),
    Field::structure("NetworkSettings", NETWORKS).omitempty(),
];

/// `ContainerState`.
const STATE: &Shape = &[
    Field::text("Status"),
    Field::bool("Running"),
    Field::bool("Paused"),
    Field::bool("Restarting"),
    Field::bool("OOMKilled"),
    Field::bool("Dead"),
    Field::number("Pid"),
    Field::number("ExitCode"),
    Field::text("Error"),
    Field::text("StartedAt"),
    Field::text("FinishedAt"),
    Field::pointer("Health").omitempty(),
];

/// `container.HostConfig`.
const HOST_CONFIG: &Shape = &[
    Field::list("Binds").omitempty(),
    Field::text("ContainerIDFile").omitempty(),
    Field::text("NetworkMode").omitempty(),
    Field::map("PortBindings").omitempty(),
    Field::structure("RestartPolicy", RESTART_POLICY).omitempty(),
    Field::bool("AutoRemove"),
    Field::text("VolumeDriver").omitempty(),
    Field::list("VolumesFrom").omitempty(),
    Field::list("CapAdd").omitempty(),
    Field::list("CapDrop").omitempty(),
    Field::text("CgroupnsMode").omitempty(),
    Field::list("Dns").omitempty(),
    Field::list("DnsOptions").omitempty(),
    Field::list("DnsSearch").omitempty(),
    Field::list("ExtraHosts").omitempty(),
    Field::list("GroupAdd").omitempty(),
    Field::text("IpcMode").omitempty(),
    Field::list("Links").omitempty(),
    Field::number("OomScoreAdj").omitempty(),
    Field::text("PidMode").omitempty(),
    Field::bool("Privileged").omitempty(),
    Field::bool("PublishAllPorts").omitempty(),
    Field::bool("ReadonlyRootfs").omitempty(),
    Field::list("SecurityOpt").omitempty(),
    Field::map("Tmpfs").omitempty(),
    Field::text("UTSMode").omitempty(),
    Field::text("UsernsMode").omitempty(),
    Field::number("ShmSize").omitempty(),
    Field::map("Sysctls").omitempty(),
    Field::text("Runtime").omitempty(),
    Field::text("Isolation").omitempty(),
    Field::number("CpuShares").omitempty(),
    Field::number("Memory").omitempty(),
    Field::number("NanoCpus").omitempty(),
    Field::text("CgroupParent").omitempty(),
    Field::number("BlkioWeight").omitempty(),
    Field::number("CpuPeriod").omitempty(),
    Field::number("CpuQuota").omitempty(),
    Field::text("CpusetCpus").omitempty(),
    Field::text("CpusetMems").omitempty(),
    Field::list("Devices").omitempty(),
    Field::number("MemoryReservation").omitempty(),
    Field::number("MemorySwap").omitempty(),
    Field::pointer("OomKillDisable").omitempty(),
    Field::pointer("PidsLimit").omitempty(),
    Field::list("Ulimits").omitempty(),
    Field::list("Mounts").omitempty(),
    Field::list("MaskedPaths").omitempty(),
    Field::list("ReadonlyPaths").omitempty(),
];

/// `RestartPolicy`.
const RESTART_POLICY: &Shape = &[Field::text("Name"), Field::number("MaximumRetryCount")];

/// `NetworkSettings`: what there is without a network.
const NETWORKS: &Shape = &[
    Field::text("SandboxKey"),
    Field::map("Ports"),
    Field::text("Gateway"),
    Field::text("IPAddress"),
    Field::number("IPPrefixLen"),
    Field::text("MacAddress"),
    Field::map("Networks"),
];
