//! 4.3: what an answer calls layers.

use subject::protocol::{Call, Order, Outcome, Report, Said};
use subject::scene::chains::asked;

use crate::facts::Facts;
use crate::session::Session;
use crate::{Seen, Stop, returned};

/// 4.3
pub(crate) fn look_at(session: &mut Session) -> Result<Seen, Stop> {
    session.wait(|_, report| matches!(report, Report::Host).then_some(()))?;
    session.order(Order::Begin)?;
    let (_, outcome) = session.called(Call::TheFunction)?;
    let (_, error) = returned(&outcome)?;
    let mut facts = Facts::default();
    if let Outcome::Done(Said::Lines(said)) = outcome {
        for ((layers, _), said) in asked().iter().zip(said) {
            facts.say(layers, said);
        }
    }
    Ok(Seen { facts, error })
}
