//! A JSON document taken apart at its outermost level without being parsed, so that one broken item of a list does not
//! cost the others, and a large file is never a tree in memory.

use serde::de::DeserializeOwned;

use crate::RefusalCode;

/// Why no further item can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonEnd {
    /// The document ends within the item that begins at this byte.
    #[error("the document ends in the middle of what begins at byte {0}")]
    Truncated(usize),
    /// This byte fits nowhere.
    #[error("unexpected byte at {0}")]
    Unexpected(usize),
}

impl JsonEnd {
    /// The code of a refusal for this reason.
    pub fn code(self) -> RefusalCode {
        match self {
            Self::Truncated(_) => RefusalCode::Truncated,
            Self::Unexpected(_) => RefusalCode::Malformed,
        }
    }
}

/// The outermost level of a document.
#[derive(Debug, Clone)]
pub enum Root<'a> {
    /// A list: its items.
    Array(Items<'a>),
    /// An object: its members.
    Object(Members<'a>),
    /// Neither, or no JSON at all.
    Other,
}

/// Looks at the outermost level of a document. A byte order mark is passed over.
pub fn root(document: &[u8]) -> Root<'_> {
    let document = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document);
    let mut scan = Scan { text: document, at: 0 };
    scan.blank();
    match scan.peek() {
        Some(b'[') => Root::Array(Items { scan: scan.after(1), done: false }),
        Some(b'{') => Root::Object(Members { scan: scan.after(1), last: scan.after(1), done: false }),
        _ => Root::Other,
    }
}

/// The items of a list, each as its unparsed text; ends after the first error.
#[derive(Debug, Clone)]
pub struct Items<'a> {
    scan: Scan<'a>,
    done: bool,
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<&'a [u8], JsonEnd>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let item =
            self.scan.entry(b']', Scan::value).transpose().or_else(|| self.scan.after(1).rest().map(Err));
        self.done = !matches!(item, Some(Ok(_)));
        item
    }
}

/// The members of an object, each with its unparsed value; ends after the first error.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    scan: Scan<'a>,
    /// Where the latest entry began.
    last: Scan<'a>,
    done: bool,
}

impl<'a> Members<'a> {
    /// After an error: the member that was not found to its end, with all that is left of the document.
    pub fn cut_off(&self) -> Option<(String, &'a [u8])> {
        let mut scan = self.last;
        scan.blank();
        let name = scan.name().ok()?;
        Some((name, scan.text.get(scan.at..).unwrap_or_default()))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<(String, &'a [u8]), JsonEnd>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        self.last = self.scan;
        let member =
            self.scan.entry(b'}', Scan::member).transpose().or_else(|| self.scan.after(1).rest().map(Err));
        self.done = !matches!(member, Some(Ok(_)));
        member
    }
}

/// Parses one item.
///
/// # Errors
/// A code and a sentence: `NaN` and `Infinity`, which some writers emit and JSON does not have, are told apart from
/// other mistakes.
pub fn parse_item<T: DeserializeOwned>(item: &[u8]) -> Result<T, (RefusalCode, String)> {
    serde_json::from_slice(item).map_err(|error| {
        let code = if has_bare_word(item) { RefusalCode::NotFinite } else { RefusalCode::Malformed };
        (code, error.to_string())
    })
}

/// Whether `NaN` or `Infinity` stands outside of strings.
fn has_bare_word(item: &[u8]) -> bool {
    let mut scan = Scan { text: item, at: 0 };
    while let Some(byte) = scan.peek() {
        match byte {
            b'"' if scan.string().is_err() => return false,
            b'"' => {}
            b'N' | b'I' => return true,
            _ => scan.at += 1,
        }
    }
    false
}

#[derive(Debug, Clone, Copy)]
struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn after(self, bytes: usize) -> Self {
        Self { at: self.at + bytes, ..self }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// What must not be there: anything but blanks.
    fn rest(mut self) -> Option<JsonEnd> {
        self.blank();
        self.peek().map(|_| JsonEnd::Unexpected(self.at))
    }

    /// The next entry of a list or object, past its comma; `None` at the closing bracket.
    fn entry<T>(
        &mut self,
        close: u8,
        read: impl Fn(&mut Self) -> Result<T, JsonEnd>,
    ) -> Result<Option<T>, JsonEnd> {
        self.blank();
        let begin = self.at;
        match self.peek() {
            None => return Err(JsonEnd::Truncated(begin)),
            Some(byte) if byte == close => return Ok(None),
            Some(_) => {}
        }
        let entry = read(self)?;
        self.blank();
        match self.peek() {
            Some(b',') => self.at += 1,
            Some(byte) if byte == close => {}
            Some(_) => return Err(JsonEnd::Unexpected(self.at)),
            None => return Err(JsonEnd::Truncated(begin)),
        }
        Ok(Some(entry))
    }

    fn member(&mut self) -> Result<(String, &'a [u8]), JsonEnd> {
        Ok((self.name()?, self.value()?))
    }

    /// The name of a member, past its colon.
    fn name(&mut self) -> Result<String, JsonEnd> {
        let begin = self.at;
        if self.peek() != Some(b'"') {
            return Err(JsonEnd::Unexpected(begin));
        }
        self.string()?;
        let name = self.text.get(begin..self.at).unwrap_or_default();
        let name = serde_json::from_slice(name).map_err(|_| JsonEnd::Unexpected(begin))?;
        self.blank();
        match self.peek() {
            Some(b':') => self.at += 1,
            Some(_) => return Err(JsonEnd::Unexpected(self.at)),
            None => return Err(JsonEnd::Truncated(begin)),
        }
        self.blank();
        Ok(name)
    }

    /// Passes over a value; brackets are counted, not matched by kind: a mistake there is found when it is parsed.
    fn value(&mut self) -> Result<&'a [u8], JsonEnd> {
        let begin = self.at;
        let mut depth = 0_usize;
        loop {
            let Some(byte) = self.peek() else { return Err(JsonEnd::Truncated(begin)) };
            match byte {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b'}' | b']' | b',' | b':' if depth == 0 => return Err(JsonEnd::Unexpected(self.at)),
                _ if depth > 0 || byte.is_ascii_whitespace() => self.at += 1,
                _ => self.word(),
            }
            if depth == 0 {
                return Ok(self.text.get(begin..self.at).unwrap_or_default());
            }
        }
    }

    /// Passes over a number or a name.
    fn word(&mut self) {
        let ends = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b':' | b']' | b'}' | b'"');
        while self.peek().is_some_and(|byte| !ends(byte)) {
            self.at += 1;
        }
    }

    /// Passes over a string.
    fn string(&mut self) -> Result<(), JsonEnd> {
        let begin = self.at;
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return Ok(());
            }
        }
        Err(JsonEnd::Truncated(begin))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn items(text: &str) -> Vec<Result<String, JsonEnd>> {
        let Root::Array(items) = root(text.as_bytes()) else { panic!("not a list: {text}") };
        items.map(|item| item.map(|bytes| String::from_utf8_lossy(bytes).into_owned())).collect()
    }

    #[test]
    fn what_comes_after_the_end_is_a_mistake() {
        assert_eq!(items("[1, 2] \n"), [Ok("1".to_owned()), Ok("2".to_owned())]);
        assert_eq!(items("[1][2]"), [Ok("1".to_owned()), Err(JsonEnd::Unexpected(3))]);
        assert_eq!(items("[] x"), [Err(JsonEnd::Unexpected(3))]);
        let Root::Object(members) = root(b"{\"a\": 1} {}") else { panic!("an object") };
        assert_eq!(members.map(|member| member.is_ok()).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn items_before_a_mistake_are_found() {
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(items("[]"), []);
        assert_eq!(items(" [ 1 , NaN ,\"a,]\\\"\" ]"), [ok("1"), ok("NaN"), ok("\"a,]\\\"\"")]);
        assert_eq!(items("[{\"a\":[1]},{\"b\":"), [ok("{\"a\":[1]}"), Err(JsonEnd::Truncated(11))]);
        assert_eq!(items("[1,,2]"), [ok("1"), Err(JsonEnd::Unexpected(3))]);
        assert_eq!(items("[1 2]"), [Err(JsonEnd::Unexpected(3))]);
        assert_eq!(items("[\"open"), [Err(JsonEnd::Truncated(1))]);
    }

    #[test]
    fn what_is_left_of_the_last_member_can_be_looked_at() {
        let Root::Object(mut members) = root(br#"{"a": 1, "b": [2, {"c": "3"#) else { panic!("an object") };
        assert_eq!(members.next(), Some(Ok(("a".to_owned(), &b"1"[..]))));
        assert!(matches!(members.next(), Some(Err(JsonEnd::Truncated(_)))));
        assert_eq!(members.cut_off(), Some(("b".to_owned(), &br#"[2, {"c": "3"#[..])));
        let Root::Object(mut members) = root(b"{\"a") else { panic!("an object") };
        assert!(matches!(members.next(), Some(Err(JsonEnd::Truncated(1)))));
        assert_eq!(members.cut_off(), None);
    }

    #[test]
    fn what_is_not_a_number_is_told_apart() {
        let code = |text: &str| parse_item::<Value>(text.as_bytes()).expect_err("no JSON").0;
        assert_eq!(code("{\"x\": NaN}"), RefusalCode::NotFinite);
        assert_eq!(code("[-Infinity]"), RefusalCode::NotFinite);
        assert_eq!(code("{\"NaN\": }"), RefusalCode::Malformed);
        // Deeper than the parser goes: an error, no overflow of the stack.
        assert_eq!(code(&"[".repeat(100_000)), RefusalCode::Malformed);
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".*", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_items_are_those_that_a_parser_finds(list in prop::collection::vec(values(), 0..6), pretty: bool) {
            let value = Value::from(list.clone());
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            let Root::Array(items) = root(text.as_bytes()) else { panic!("not a list") };
            let found: Vec<Value> =
                items.map(|item| parse_item(item.expect("well-formed")).expect("well-formed")).collect();
            prop_assert_eq!(found, list);
        }

        #[test]
        fn members_are_those_that_a_parser_finds(map in prop::collection::btree_map(".*", values(), 0..6)) {
            let value = Value::Object(map.clone().into_iter().collect());
            let text = value.to_string();
            let Root::Object(members) = root(text.as_bytes()) else { panic!("not an object") };
            let found: std::collections::BTreeMap<String, Value> = members
                .map(|member| member.expect("well-formed"))
                .map(|(name, value)| (name, parse_item(value).expect("well-formed")))
                .collect();
            prop_assert_eq!(found, map);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            match root(&bytes) {
                Root::Array(items) => drop(items.count()),
                Root::Object(members) => drop(members.count()),
                Root::Other => {}
            }
        }
    }
}
