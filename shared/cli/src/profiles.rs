//! Hosts by name, each with its address and key, in a file that only its owner may read.

use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::{Environment, failure::Failure};

/// One host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// The API's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// The key that it is spoken to with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api_key: Option<String>,
}

/// The file and what is in it.
#[derive(Debug)]
pub(crate) struct Profiles {
    path: PathBuf,
    pub(crate) by_name: BTreeMap<String, Profile>,
}

impl Profiles {
    /// Reads the file; none is no profile.
    pub(crate) fn load(environment: &Environment) -> Result<Profiles, Failure> {
        let path = path(environment)?;
        let by_name = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(Failure::new(format!("{} can't be read: {error}", path.display()))),
            Ok(text) => {
                let wrong = |problem: String| Failure::new(format!("{}: {problem}", path.display()));
                let document = yaml::read(&text).map_err(|error| wrong(error.to_string()))?;
                serde_json::from_value(document.to_json()).map_err(|error| wrong(error.to_string()))?
            }
        };
        Ok(Profiles { path, by_name })
    }

    /// The profile of that name.
    pub(crate) fn get(&self, name: &str) -> Result<&Profile, Failure> {
        self.by_name.get(name).ok_or_else(|| {
            let known = self.by_name.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let failure = Failure::usage(format!("there is no profile \"{name}\""));
            if known.is_empty() {
                failure.hint(format!("make it with `squall profile add {name}`"))
            } else {
                failure.hint(format!("there are {known}"))
            }
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file anew: whole or not at all, and readable by its owner alone.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        let written = || -> io::Result<()> {
            let directory = self.path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(directory)?;
            let text = yaml::to_string(&serde_json::to_value(&self.by_name)?);
            let fresh = self.path.with_extension("new");
            // What a broken write left behind may have another mode.
            match fs::remove_file(&fresh) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, &self.path)
        };
        written().map_err(|error| Failure::new(format!("{} can't be written: {error}", self.path.display())))
    }
}

/// Where the file is: below the XDG configuration directory.
fn path(environment: &Environment) -> Result<PathBuf, Failure> {
    let xdg = environment.first(&["XDG_CONFIG_HOME"]).map(Path::new).filter(|path| path.is_absolute());
    let home = environment.first(&["HOME"]).map(|home| Path::new(home).join(".config"));
    let base = xdg.map(Path::to_owned).or(home);
    base.map(|base| base.join("squall/profiles.yaml"))
        .ok_or_else(|| Failure::new("there is no place for profiles: neither HOME nor XDG_CONFIG_HOME is set"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn profiles_are_kept_for_their_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let environment: Environment = [("XDG_CONFIG_HOME", directory.path().to_str().unwrap())].into_iter().collect();
        let mut profiles = Profiles::load(&environment).unwrap();
        assert!(profiles.get("prod").is_err());
        let profile = Profile { url: Some("https://a.example".to_owned()), api_key: Some("k".to_owned()) };
        profiles.by_name.insert("prod".to_owned(), profile.clone());
        profiles.save().unwrap();
        profiles.save().unwrap();
        let again = Profiles::load(&environment).unwrap();
        assert_eq!(again.get("prod").unwrap(), &profile);
        assert_eq!(fs::metadata(again.path()).unwrap().permissions().mode() & 0o777, 0o600);
        let unknown = again.get("prud").unwrap_err();
        assert_eq!(unknown.hints(), ["there are prod"]);
    }

    #[test]
    fn a_wrong_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("squall")).unwrap();
        fs::write(directory.path().join("squall/profiles.yaml"), "prod: {adress: x}\n").unwrap();
        let environment: Environment = [("XDG_CONFIG_HOME", directory.path().to_str().unwrap())].into_iter().collect();
        let failure = Profiles::load(&environment).unwrap_err();
        assert!(failure.to_string().contains("profiles.yaml: unknown field `adress`"), "{failure}");
    }
}
