//! The steps that made an image, in words that fit in a line.

use images::oci::{History, ImageConfig};

/// A step as whoever wrote the Dockerfile wrote it: without the shell and the notes that a builder puts around it.
pub fn instruction(history: &History) -> String {
    let text = history.created_by.as_deref().unwrap_or_default().trim();
    let comment = history.comment.as_deref().unwrap_or_default().trim();
    if text.is_empty() {
        return if comment.is_empty() { "(it does not say)".to_owned() } else { comment.to_owned() };
    }
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    // The builder's variables: `|2 A=1 B=2 /bin/sh -c make`.
    let shell = text.strip_prefix("RUN ").unwrap_or(text);
    let shell = match shell.strip_prefix('|') {
        Some(variables) => variables.find("/bin/sh -c ").map_or(shell, |at| &variables[at..]),
        None => shell,
    };
    match shell.strip_prefix("/bin/sh -c ").map(str::trim_start) {
        Some(command) => match command.strip_prefix("#(nop)") {
            Some(instruction) => instruction.trim().to_owned(),
            None => format!("RUN {command}"),
        },
        None => text.to_owned(),
    }
}

/// The step that made each layer, bottom first. What does not say is named as well as it can be.
pub fn of_layers(config: &ImageConfig, layers: usize) -> Vec<String> {
    let mut steps: Vec<String> = config.history.iter().filter(|step| !step.empty_layer).map(instruction).collect();
    steps.resize(layers, "(it does not say)".to_owned());
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_builders_put_around_an_instruction_is_taken_off() {
        for (created_by, expected) in [
            ("/bin/sh -c #(nop)  CMD [\"sh\"]", "CMD [\"sh\"]"),
            ("/bin/sh -c #(nop) ADD file:9e0dcb in / ", "ADD file:9e0dcb in /"),
            ("/bin/sh -c apk add python3", "RUN apk add python3"),
            ("RUN /bin/sh -c apk add python3 # buildkit", "RUN apk add python3"),
            ("RUN |2 A=1 B=/bin /bin/sh -c make # buildkit", "RUN make"),
            ("|1 A=1 /bin/sh -c make", "RUN make"),
            ("COPY app /srv # buildkit", "COPY app /srv"),
            ("RUN |broken", "RUN |broken"),
            ("", "Imported from -"),
        ] {
            let history = History {
                created_by: Some(created_by.to_owned()),
                comment: Some("Imported from -".to_owned()),
                ..History::default()
            };
            assert_eq!(instruction(&history), expected, "{created_by}");
        }
        assert_eq!(instruction(&History::default()), "(it does not say)");
    }
}
