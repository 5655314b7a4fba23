//! From a profile to a filter.
//!
//! First comes the table that the number is of, then a binary search for the number, then the arguments where a
//! rule asks for them.
//!
//! Up to the arguments nothing is loaded but table and number. Linux (5.11 and newer) notices: when a filter is
//! installed, it runs it once for every number, and where the answer is "allowed" without a look at anything else,
//! it keeps a bit and never runs the filter for that call again. The search makes this quick too: nine comparisons
//! for each number, where a list of all allowed calls would need three hundred.

use super::abi::{Abi, Machine};
use super::assemble::{Assembler, Label};
use super::bpf::{
    ARCHITECTURE, Action, Instruction, MOST_INSTRUCTIONS, NUMBER, and, high_half, jump_if_at_least, jump_if_equal,
    jump_if_greater, low_half,
};
use super::parse::Invalid;
use super::plan::{Plan, plans, ranges};
use super::profile::{Condition, Operator, Profile, Subject};

/// A filter, and how many calls of the machine's own table rules let pass, or refuse, always or with certain arguments.
pub(crate) struct Compiled {
    pub instructions: Vec<Instruction>,
    pub allowed: usize,
    pub refused: usize,
}

/// Makes the filter. `number` knows the numbers of calls by name; a call that the table does not have is left out,
/// as Docker does. Fails if the filter gets too long for the kernel.
pub(crate) fn compile(
    profile: &Profile,
    machine: &Machine,
    subject: &Subject<'_>,
    number: &dyn Fn(&Abi, &str) -> Option<u32>,
) -> Result<Compiled, Invalid> {
    let tables = profile.tables_with(machine.abis[0].name);
    let abis: Vec<&Abi> = machine.abis.iter().filter(|abi| tables.contains(&abi.name)).collect();
    let mut program = Assembler::default();
    let mut start = program.answer(Action::KillProcess);
    let (mut allowed, mut refused) = (0, 0);
    // Back to front, so the machine's own table, asked for most often, is the first in the program.
    for abi in abis.iter().rev() {
        let plans = plans(profile, subject, &|name| number(abi, name))?;
        allowed = plans.calls.values().filter(|plan| plan.some(Action::permits)).count();
        refused = plans.calls.values().filter(|plan| plan.some(|action| !action.permits())).count();
        let ranges = ranges(&plans, abi);
        let mut writer = Writer { program: &mut program, wide: abi.wide, written: Vec::new() };
        let search = writer.search(&ranges)?;
        let search = program.load(NUMBER, search);
        start = program.branch(jump_if_equal, abi.audit, search, start);
    }
    program.load(ARCHITECTURE, start);
    too_long(program.len())?;
    Ok(Compiled { instructions: program.finish(), allowed, refused })
}

fn too_long(instructions: usize) -> Result<(), Invalid> {
    if instructions <= MOST_INSTRUCTIONS {
        return Ok(());
    }
    let problem = format!("the filter would have more than the {MOST_INSTRUCTIONS} instructions that the kernel takes");
    Err(Invalid::new(problem))
}

/// Writes the part of the program that is for one table.
struct Writer<'a> {
    program: &'a mut Assembler,
    wide: bool,
    written: Vec<(Plan, Label)>,
}

impl Writer<'_> {
    /// A binary search for the number, which has been loaded.
    fn search(&mut self, ranges: &[(u32, Plan)]) -> Result<Label, Invalid> {
        too_long(self.program.len())?;
        if let [(_, plan)] = ranges {
            return self.plan(plan);
        }
        let (lower, upper) = ranges.split_at(ranges.len() / 2);
        let (yes, no) = (self.search(upper)?, self.search(lower)?);
        Ok(self.program.branch(jump_if_at_least, upper[0].0, yes, no))
    }

    fn plan(&mut self, plan: &Plan) -> Result<Label, Invalid> {
        if plan.checks.is_empty() {
            return Ok(self.program.answer(plan.otherwise));
        }
        if let Some((_, label)) = self.written.iter().find(|(written, _)| written == plan) {
            return Ok(*label);
        }
        let mut next = self.program.answer(plan.otherwise);
        for (conditions, action) in plan.checks.iter().rev() {
            let fits = self.program.answer(*action);
            next = conditions.iter().rev().fold(fits, |fits, condition| self.condition(condition, fits, next));
            too_long(self.program.len())?;
        }
        self.written.push((plan.clone(), next));
        Ok(next)
    }

    /// One comparison of 64 bits with instructions for 32.
    fn condition(&mut self, condition: &Condition, yes: Label, no: Label) -> Label {
        let Condition { argument, operator, value } = *condition;
        match operator {
            Operator::Equal => self.equal(argument, u64::MAX, value, yes, no),
            Operator::NotEqual => self.equal(argument, u64::MAX, value, no, yes),
            Operator::MaskedEqual(mask) => self.equal(argument, mask, value, yes, no),
            Operator::Greater => self.order(argument, jump_if_greater, value, yes, no),
            Operator::LessOrEqual => self.order(argument, jump_if_greater, value, no, yes),
            Operator::GreaterOrEqual => self.order(argument, jump_if_at_least, value, yes, no),
            Operator::Less => self.order(argument, jump_if_at_least, value, no, yes),
        }
    }

    fn equal(&mut self, argument: u8, mask: u64, value: u64, yes: Label, no: Label) -> Label {
        let low = self.equal_half(low_half(argument), mask as u32, value as u32, yes, no);
        let (mask, value) = ((mask >> 32) as u32, (value >> 32) as u32);
        if self.wide {
            self.equal_half(high_half(argument), mask, value, low, no)
        } else {
            // What is not there counts as zero.
            if value == 0 { low } else { no }
        }
    }

    fn equal_half(&mut self, offset: u32, mask: u32, value: u32, yes: Label, no: Label) -> Label {
        match mask {
            0 => return if value == 0 { yes } else { no },
            u32::MAX => {
                let test = self.program.branch(jump_if_equal, value, yes, no);
                return self.program.load(offset, test);
            }
            _ => {}
        }
        let test = self.program.branch(jump_if_equal, value, yes, no);
        let masked = self.program.straight(and(mask), test);
        self.program.load(offset, masked)
    }

    fn order(
        &mut self,
        argument: u8,
        test: fn(u32, u8, u8) -> Instruction,
        value: u64,
        yes: Label,
        no: Label,
    ) -> Label {
        let (high, low) = ((value >> 32) as u32, value as u32);
        if !self.wide && high != 0 {
            return no;
        }
        let lower = self.program.branch(test, low, yes, no);
        let lower = self.program.load(low_half(argument), lower);
        if !self.wide {
            return lower;
        }
        let same = self.program.branch(jump_if_equal, high, lower, no);
        let upper = self.program.branch(jump_if_greater, high, yes, same);
        self.program.load(high_half(argument), upper)
    }
}
