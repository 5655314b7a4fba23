//! A profile: which calls are allowed, to whom, and with which arguments.

use super::bpf::Action;

/// A profile in Docker's terms: [`Profile::parse`] reads one, [`Profile::compile`] makes a filter of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// For calls that no rule speaks of.
    pub(crate) default: Action,
    /// Which tables of calls may be used beside the machine's own: pairs of a table, and those that come with it.
    pub(crate) tables: Vec<(String, Vec<String>)>,
    /// `SECCOMP_FILTER_FLAG_*` to install the filter with.
    pub(crate) flags: u32,
    /// The rules.
    pub(crate) rules: Vec<Rule>,
}

/// One rule: these calls, with such arguments, under such circumstances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub names: Vec<String>,
    pub action: Action,
    pub conditions: Vec<Condition>,
    pub includes: Circumstances,
    pub excludes: Circumstances,
}

/// A comparison of one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Condition {
    /// Which argument, from 0 to 5.
    pub argument: u8,
    pub operator: Operator,
    pub value: u64,
}

/// How an argument is compared with the value: `SCMP_CMP_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operator {
    NotEqual,
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
    /// Equal in the bits of this mask.
    MaskedEqual(u64),
}

/// When a rule counts. What is empty says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Circumstances {
    /// Names of capabilities, with `CAP_`.
    pub capabilities: Vec<String>,
    /// Machines, by Docker's names.
    pub machines: Vec<String>,
    /// The least version of the kernel.
    pub kernel: Option<(u32, u32)>,
}

/// Who a filter is made for.
pub(crate) struct Subject<'a> {
    /// The machine, by Docker's name.
    pub machine: &'a str,
    /// The version of the kernel.
    pub kernel: (u32, u32),
    /// Whether the container may ever have this capability (name with `CAP_`).
    pub holds: &'a dyn Fn(&str) -> bool,
}

impl Rule {
    /// Whether the rule counts for `subject`: no exclusion fits, and all inclusions do.
    pub fn applies(&self, subject: &Subject<'_>) -> bool {
        let on = |machines: &[String]| machines.iter().any(|name| name == subject.machine);
        let (no, yes) = (&self.excludes, &self.includes);
        let excluded = on(&no.machines)
            || no.capabilities.iter().any(|name| (subject.holds)(name))
            || no.kernel.is_some_and(|least| subject.kernel >= least);
        let included = (yes.machines.is_empty() || on(&yes.machines))
            && yes.capabilities.iter().all(|name| (subject.holds)(name))
            && yes.kernel.is_none_or(|least| subject.kernel >= least);
        included && !excluded
    }

    /// The comparisons that must all hold, one list for each way to fit.
    ///
    /// Docker's runtimes take several comparisons of one argument as alternatives, and comparisons of different
    /// arguments as demands that must all be met. The same profile must mean the same here.
    pub fn alternatives(&self) -> Vec<Vec<Condition>> {
        let repeated = self
            .conditions
            .iter()
            .enumerate()
            .any(|(n, one)| self.conditions[..n].iter().any(|other| other.argument == one.argument));
        if repeated { self.conditions.iter().map(|one| vec![*one]).collect() } else { vec![self.conditions.clone()] }
    }
}

impl Profile {
    /// The tables of calls that may be used on a machine whose own table is `native`, that one included.
    pub(crate) fn tables_with<'a>(&'a self, native: &'a str) -> Vec<&'a str> {
        let listed = self.tables.iter().filter(|(name, _)| name == native).flat_map(|(_, more)| more);
        std::iter::once(native).chain(listed.map(String::as_str)).collect()
    }
}
