//! From tests and answers to a filter, written back to front.
//!
//! Jumps only go forward. So whoever writes the last instruction first always knows how far a jump has to go, and
//! nothing has to be patched. A conditional jump reaches 255 instructions; where that is not enough, it goes
//! to a plain jump or to a copy of the answer close by.

use super::bpf::{ANSWER, Action, Instruction, answer, jump, load};

/// A place in the program: how many instructions come after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label(usize);

/// How far a conditional jump reaches.
const REACH: usize = u8::MAX as usize;

/// A program on its way, last instruction first.
#[derive(Default)]
pub struct Assembler {
    reversed: Vec<Instruction>,
}

impl Assembler {
    fn emit(&mut self, instruction: Instruction) -> Label {
        self.reversed.push(instruction);
        Label(self.reversed.len() - 1)
    }

    /// How many instructions are between the one that is emitted next and `label`.
    fn distance(&self, label: Label) -> usize {
        self.reversed.len() - 1 - label.0
    }

    /// An answer, the nearest there is or a new one.
    pub fn answer(&mut self, action: Action) -> Label {
        let wanted = answer(action);
        let near = self.reversed.iter().rev().take(REACH / 2).position(|known| *known == wanted);
        match near {
            Some(distance) => Label(self.reversed.len() - 1 - distance),
            None => self.emit(wanted),
        }
    }

    /// Loads from `offset`, and goes on at `then`.
    pub fn load(&mut self, offset: u32, then: Label) -> Label {
        self.straight(load(offset), then)
    }

    /// `instruction`, which does not jump, and then `then`.
    pub fn straight(&mut self, instruction: Instruction, then: Label) -> Label {
        if self.distance(then) > 0 {
            self.jump(then);
        }
        self.emit(instruction)
    }

    /// `test` of `value`, going on at `yes` or at `no`.
    pub fn branch(&mut self, test: fn(u32, u8, u8) -> Instruction, value: u32, yes: Label, no: Label) -> Label {
        if yes == no {
            return yes;
        }
        // The second may need one more instruction between the first and this.
        let yes = self.within(yes, REACH - 1);
        let no = self.within(no, REACH);
        let instruction = test(value, self.distance(yes) as u8, self.distance(no) as u8);
        self.emit(instruction)
    }

    /// `label`, or a stand-in for it that is close enough.
    fn within(&mut self, label: Label, reach: usize) -> Label {
        if self.distance(label) <= reach { label } else { self.jump(label) }
    }

    fn jump(&mut self, to: Label) -> Label {
        let target = self.reversed[to.0];
        let count = self.distance(to) as u32;
        self.emit(if target.code == ANSWER { target } else { jump(count) })
    }

    /// How many instructions there are so far.
    pub fn len(&self) -> usize {
        self.reversed.len()
    }

    /// The program, which starts with what was emitted last.
    pub fn finish(mut self) -> Vec<Instruction> {
        self.reversed.reverse();
        self.reversed
    }
}

#[cfg(test)]
mod tests {
    use super::super::bpf::{NUMBER, jump_if_equal};
    use super::super::{Data, simulate};
    use super::*;

    /// A test whose two ways are as far away as a jump reaches, and a little nearer and further, each.
    #[test]
    fn as_far_as_a_jump_reaches() {
        for (between, before) in (0..8).flat_map(|n| (245..260).map(move |m| (n, m))) {
            let mut program = Assembler::default();
            let [mut no, mut yes] = [Action::Log, Action::Allow].map(|action| program.emit(answer(action)));
            // Something to go through, so that the ways do not end right there, where a copy would do.
            no = program.load(NUMBER, no);
            for _ in 0..between {
                program.load(NUMBER, no);
            }
            yes = program.load(NUMBER, yes);
            for _ in 0..before {
                program.emit(load(NUMBER));
            }
            let last = program.branch(jump_if_equal, 7, yes, no);
            program.load(NUMBER, last);
            let program = program.finish();
            for (nr, action) in [(7, Action::Allow), (8, Action::Log)] {
                assert_eq!(simulate(&program, &Data { nr, ..Data::default() }), Ok(action), "{between} {before}");
            }
        }
    }
}
