//! The filter by hand, and the machine that runs it.

use sandbox::seccomp::bpf::{self, ARCHITECTURE, EPERM, NUMBER, answer, jump, jump_if_at_least, jump_if_equal, load};
use sandbox::seccomp::{Action, Data, Instruction, simple, simulate};

const X86_64: u32 = 0xc000_003e;
const X86: u32 = 0x4000_0003;

fn call(nr: u32, arch: u32) -> Data {
    Data { nr, arch, ..Data::default() }
}

/// Every number of every table gets the one right answer.
#[test]
fn a_list_of_calls() {
    let numbers = || (0..=600).flat_map(|nr| [nr, nr | 0x4000_0000, nr | 0x8000_0000]).chain([u32::MAX]);
    for allowed in [&[][..], &[0], &[0, 1, 60, 231], &[599, 3, 3]] {
        let filter = simple::filter(X86_64, allowed);
        for nr in numbers() {
            let expected = if allowed.contains(&nr) { Action::Allow } else { Action::Errno(EPERM) };
            assert_eq!(simulate(&filter, &call(nr, X86_64)), Ok(expected), "{nr:#x} of {allowed:?}");
            for other in [X86, 0, u32::MAX] {
                assert_eq!(simulate(&filter, &call(nr, other)), Ok(Action::KillProcess), "{nr:#x}");
            }
        }
    }
}

#[test]
fn a_list_longer_than_a_jump() {
    let allowed: Vec<u32> = (0..2000).map(|n| 2 * n).collect();
    let filter = simple::filter(X86_64, &allowed);
    for nr in 0..4000 {
        let expected = if nr % 2 == 0 { Action::Allow } else { Action::Errno(EPERM) };
        assert_eq!(simulate(&filter, &call(nr, X86_64)), Ok(expected));
    }
}

/// What the kernel would not install is an error, not an answer.
#[test]
fn filters_that_are_none() {
    let allow = answer(Action::Allow);
    for (filter, complaint) in [
        (vec![], "1 to 4096 instructions, not 0"),
        (vec![allow; 4097], "1 to 4096 instructions, not 4097"),
        (vec![load(NUMBER)], "instruction 1 is behind the end"),
        (vec![jump_if_equal(0, 5, 0), allow], "instruction 6 is behind the end"),
        (vec![jump(u32::MAX), allow], "is behind the end"),
        (vec![load(1), allow], "instruction 0 is not one that seccomp knows"),
        (vec![load(64), allow], "instruction 0 is not one"),
        (vec![Instruction { code: 0x28, jt: 0, jf: 0, k: 0 }, allow], "instruction 0 is not one"),
        (vec![Instruction { code: 0x34, jt: 0, jf: 0, k: 0 }, allow], "instruction 0 is not one"),
        (vec![Instruction { code: 0x60, jt: 0, jf: 0, k: 16 }, allow], "instruction 0 is not one"),
    ] {
        let error = simulate(&filter, &Data::default()).unwrap_err();
        assert!(error.contains(complaint), "{filter:?}: {error}");
    }
}

/// Each place of the record, by a filter that answers with what is there.
#[test]
fn what_a_filter_sees() {
    let args = std::array::from_fn(|n| 0x0011_0000_0005_0000 + ((n as u64) << 32) + n as u64);
    let data = Data { nr: 0x0005_0007, arch: 0x0005_0008, ip: 0x0005_0009_0005_000a, args };
    let seen = |offset: u32| {
        let give_back = Instruction { code: 0x16, jt: 0, jf: 0, k: 0 };
        simulate(&[load(offset), give_back], &data)
    };
    let errno = |n| Ok(Action::Errno(n));
    assert_eq!((seen(NUMBER), seen(ARCHITECTURE), seen(8), seen(12)), (errno(7), errno(8), errno(10), errno(9)));
    for n in 0..6 {
        assert_eq!(seen(bpf::low_half(n)), errno(n.into()));
        assert_eq!(seen(bpf::high_half(n)), Ok(Action::of_value(0x0011_0000 + u32::from(n))));
    }
}

#[test]
fn arithmetic_and_tests() {
    const GIVE_BACK: Instruction = Instruction { code: 0x16, jt: 0, jf: 0, k: 0 };
    let errno = Action::Errno(0).value();
    // The register becomes `start`, then `code` is done with `k`; what comes out is an errno.
    for (start, code, k, result) in [
        (7, 0x04, 3, 10),
        (7, 0x14, 3, 4),
        (7, 0x24, 3, 21),
        (7, 0x34, 3, 2),
        (5, 0x44, 3, 7),
        (5, 0x54, 3, 1),
        (5, 0xa4, 3, 6),
        (5, 0x64, 3, 40),
        (40, 0x74, 3, 5),
    ] {
        let program = [
            Instruction { code: 0x00, jt: 0, jf: 0, k: start },
            Instruction { code, jt: 0, jf: 0, k },
            Instruction { code: 0x44, jt: 0, jf: 0, k: errno },
            GIVE_BACK,
        ];
        assert_eq!(simulate(&program, &Data::default()), Ok(Action::Errno(result)), "{code:#x}");
    }
    for (test, at) in [
        (jump_if_equal as fn(u32, u8, u8) -> Instruction, [false, true, false]),
        (bpf::jump_if_greater, [false, false, true]),
        (jump_if_at_least, [false, true, true]),
    ] {
        for (nr, yes) in [0x7fff_ffff, 0x8000_0000, 0x8000_0001].into_iter().zip(at) {
            let program = [load(NUMBER), test(0x8000_0000, 0, 1), answer(Action::Allow), answer(Action::Log)];
            let expected = if yes { Action::Allow } else { Action::Log };
            assert_eq!(simulate(&program, &call(nr, 0)), Ok(expected), "{nr:#x}");
        }
    }
}

#[test]
fn answers_and_their_numbers() {
    use Action::{Allow, Errno, KillProcess, KillThread, Log, Trace, Trap};
    for action in [KillProcess, KillThread, Trap(3), Errno(38), Trace(9), Log, Allow] {
        assert_eq!(Action::of_value(action.value()), action);
    }
    assert_eq!(Action::of_value(0x1234_0000), KillProcess);
    let strictest_first = [KillProcess, KillThread, Trap(0), Errno(0), Trace(0), Log, Allow];
    assert!(strictest_first.is_sorted());
}
