//! The program, run by an interpreter for the few instructions that it is made of.

use super::super::{MKNOD, READ, WRITE};
use super::*;

const BLOCK: u32 = 1;
const CHAR: u32 = 2;

/// What the program answers when a process wants to do `wanted` with a device.
fn allows(program: &[u64], wanted: u8, kind: u32, major: u32, minor: u32) -> bool {
    let context = [u32::from(wanted) << 16 | kind, major, minor];
    let mut registers = [0_u64; 11];
    let mut next = 0;
    loop {
        let bytes = program[next].to_ne_bytes();
        let (to, from) = (usize::from(bytes[1] & 0xf), usize::from(bytes[1] >> 4));
        let offset = i16::from_ne_bytes([bytes[2], bytes[3]]) as usize;
        let constant = u32::from_ne_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        next += 1;
        match bytes[0] {
            LOAD_32 => registers[to] = context[offset / 4].into(),
            MOVE => registers[to] = registers[from],
            SET => registers[to] = constant.into(),
            OR => registers[to] |= u64::from(constant),
            AND => registers[to] &= u64::from(constant),
            AND_REGISTER => registers[to] &= registers[from],
            XOR => registers[to] ^= u64::from(constant),
            SHIFT_RIGHT => registers[to] >>= constant,
            JUMP_IF_ZERO if registers[to] == 0 => next += offset,
            JUMP_UNLESS_EQUAL_32 if registers[to] as u32 != constant => next += offset,
            JUMP_IF_ZERO | JUMP_UNLESS_EQUAL_32 => {}
            EXIT => return registers[0] == 1,
            other => panic!("{other:#x}"),
        }
    }
}

fn program(rules: &[&str]) -> Vec<u64> {
    assemble(&rules.iter().map(|rule| rule.parse().unwrap()).collect::<Vec<_>>())
}

#[test]
fn without_rules_nothing_is_allowed() {
    assert!(!allows(&program(&[]), READ, CHAR, 1, 3));
}

#[test]
fn dockers_defaults() {
    let program = assemble(&DeviceRule::defaults());
    assert!(allows(&program, READ | WRITE, CHAR, 1, 3), "null");
    assert!(allows(&program, READ | WRITE, CHAR, 136, 77), "a terminal");
    assert!(allows(&program, MKNOD, BLOCK, 8, 0), "the name of a disk");
    for (wanted, kind, major, minor) in [
        (READ, BLOCK, 8, 0),
        (READ, CHAR, 1, 1),
        (WRITE, CHAR, 10, 229),
        (MKNOD | READ, BLOCK, 8, 0),
        (READ, BLOCK, 1, 3),
    ] {
        assert!(!allows(&program, wanted, kind, major, minor), "{wanted} {kind} {major}:{minor}");
    }
}

#[test]
fn a_rule_allows_what_it_says_and_no_more() {
    let program = program(&["b 8:* r", "c 10:200 rw"]);
    assert!(allows(&program, READ, BLOCK, 8, 17));
    assert!(!allows(&program, READ | WRITE, BLOCK, 8, 17));
    assert!(!allows(&program, READ, BLOCK, 9, 17));
    assert!(allows(&program, WRITE, CHAR, 10, 200));
    assert!(!allows(&program, WRITE, CHAR, 10, 201));
    assert!(!allows(&program, MKNOD, CHAR, 10, 200));
}

#[test]
fn rules_add_up() {
    let program = program(&["c 1:3 r", "c 1:* w"]);
    assert!(allows(&program, READ | WRITE, CHAR, 1, 3));
    assert!(!allows(&program, READ | WRITE, CHAR, 1, 5));
}

#[test]
fn everything() {
    let program = program(&["a *:* rwm"]);
    assert!(allows(&program, READ | WRITE | MKNOD, BLOCK, 259, 4_000_000_000));
}

#[test]
fn numbers_beyond_31_bits_are_compared_whole() {
    let program = program(&["c 4294967295:2147483648 r"]);
    assert!(allows(&program, READ, CHAR, u32::MAX, 1 << 31));
    assert!(!allows(&program, READ, CHAR, u32::MAX, 0));
}
