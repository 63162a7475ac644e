//! The page: a few static files, served with a policy that lets nothing else in.

use crate::texts;
use crate::web::Reply;

/// Scripts and styles from our own files alone; nothing inline, nothing from elsewhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; media-src 'self' https:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// A file of the page.
#[derive(Debug, PartialEq, Eq)]
pub struct Asset {
    pub path: &'static str,
    pub media_type: &'static str,
    text: &'static str,
}

/// All files of the page.
pub static ASSETS: &[Asset] = &[
    Asset { path: "", media_type: "text/html; charset=utf-8", text: include_str!("../page/index.html") },
    Asset { path: "app.css", media_type: "text/css; charset=utf-8", text: include_str!("../page/app.css") },
    Asset { path: "app.js", media_type: SCRIPT, text: include_str!("../page/app.js") },
    Asset { path: "views.js", media_type: SCRIPT, text: include_str!("../page/views.js") },
    Asset { path: "call_back.js", media_type: SCRIPT, text: include_str!("../page/call_back.js") },
    Asset { path: "conversations.js", media_type: SCRIPT, text: include_str!("../page/conversations.js") },
    Asset { path: "popups.js", media_type: SCRIPT, text: include_str!("../page/popups.js") },
    Asset { path: "texts.js", media_type: SCRIPT, text: include_str!("../page/texts.js") },
    Asset { path: "icon.svg", media_type: "image/svg+xml", text: include_str!("../page/icon.svg") },
];

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The file under this path.
pub fn asset(segments: &[&str]) -> Option<&'static Asset> {
    let path = segments.join("/");
    ASSETS.iter().find(|asset| asset.path == path)
}

/// The file as an answer. It carries nobody's data, and is asked for again after each release.
pub fn reply(asset: &Asset) -> Reply {
    Reply::text(asset.media_type, asset.text)
        .header("content-security-policy", CONTENT_SECURITY_POLICY)
        .header("x-frame-options", "DENY")
        .header("cache-control", "no-cache")
}

/// The document of this API: what anybody may know, so nobody logs in for it.
pub fn openapi() -> Reply {
    Reply::text("application/json", include_str!("../../../docs/openapi.json")).header("cache-control", "no-cache")
}

/// A page of a few words of our own, and the way to the whole one.
pub fn told(status: u16, (title, words): (&str, &str)) -> Reply {
    let link = texts::TO_THE_PAGE;
    let text = format!(
        "<!doctype html><html lang=\"ru\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><link rel=\"stylesheet\" href=\"/app.css\">\
         <main><h1>{title}</h1><p>{words}</p><p><a href=\"/\">{link}</a></p></main></html>"
    );
    Reply::text("text/html; charset=utf-8", &text)
        .status(status)
        .header("content-security-policy", CONTENT_SECURITY_POLICY)
        .header("x-frame-options", "DENY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_no_inline_script_or_style() {
        for page in ASSETS.iter().filter(|asset| asset.media_type.starts_with("text/html")) {
            assert!(!page.text.contains("<style") && !page.text.contains("style="), "{}", page.path);
            let scripts = page.text.matches("<script").count();
            assert_eq!(scripts, page.text.matches("></script>").count(), "{}", page.path);
            assert!(!page.text.contains(" on"), "an inline handler in {}", page.path);
        }
    }

    #[test]
    fn data_never_becomes_markup() {
        for script in ASSETS.iter().filter(|asset| asset.media_type == SCRIPT) {
            for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", ".style"] {
                assert!(!script.text.contains(word), "{word} in {}", script.path);
            }
        }
    }

    #[test]
    fn russian_texts_stand_in_one_file() {
        let russian = |text: &str| text.chars().any(|c| ('А'..='я').contains(&c));
        for asset in ASSETS.iter().filter(|asset| asset.media_type == SCRIPT) {
            assert_eq!(russian(asset.text), asset.path == "texts.js", "{}", asset.path);
        }
    }
}
