//! An engine that was read from an image answers as one that was told everything.

use im_metrics::{BadQuery, Engine, Metric};

use crate::given::World;
use crate::random::{Dice, question, world};

fn image(engine: &Engine) -> Vec<u8> {
    let mut bytes = Vec::new();
    engine.write_image(&mut bytes).unwrap();
    bytes
}

#[test]
fn an_image_brings_back_what_was_told_under_the_settings_of_today() {
    let mut asked = 0;
    for seed in 0..60 {
        let mut dice = Dice::seeded(seed);
        let today = world(&mut dice);
        let wrote = World {
            histories: today.histories.clone(),
            ..world(&mut dice)
        };
        // Incidents that changed and went leave traces behind.
        let mut engine = wrote.engine();
        let gone = today.histories.iter().step_by(5);
        gone.clone()
            .for_each(|history| engine.remove(history.number));
        gone.for_each(|history| engine.put(history));
        let mut read = Engine::read_image(today.settings(), &mut &image(&engine)[..]).unwrap();
        read.put_deployments(&today.deployments);
        let told = today.engine();
        for metric in Metric::ALL {
            let Some((query, asked_for)) = question(&mut dice, *metric) else {
                continue;
            };
            let place = format!("seed {seed}: {asked_for}");
            let answer = read.answer(&query, today.now);
            assert_eq!(answer, told.answer(&query, today.now), "{place}");
            let items = [&read, &told].map(|engine| {
                let mut items = engine.items(&query, today.now)?;
                engine.blame(&query, &mut items, today.now)?;
                Ok::<_, BadQuery>(items)
            });
            assert_eq!(items[0], items[1], "{place}");
            asked += usize::from(answer.is_ok());
        }
        // It is an engine like any other: what is known of an incident is replaced.
        today.histories.iter().for_each(|history| read.put(history));
        assert_eq!(read.len(), told.len(), "seed {seed}");
    }
    assert!(asked > 400, "too many questions were refused: {asked}");
}

#[test]
fn an_image_that_makes_no_sense_is_refused() {
    let world = world(&mut Dice::seeded(3));
    let bytes = image(&world.engine());
    let read = |bytes: &[u8]| Engine::read_image(world.settings(), &mut &*bytes);
    assert!(read(&bytes).is_ok());
    for cut in 0..bytes.len() {
        assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    // Other bytes may be other titles or times; they must not be worse than that.
    for place in 0..bytes.len() {
        let mut other = bytes.clone();
        other[place] ^= 0x81;
        drop(read(&other));
    }
}
