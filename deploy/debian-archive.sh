# shellcheck shell=bash
# Fetching from Debian's archive without touching the system's own lists: sources of what is built here, and packages of
# another architecture. Authenticated by apt, by the signatures of the machine's own package sources. Sourced after
# common.sh, never run.

# package_lists deb-src|deb FOLDER LOG [OPTION...]: reads the indexes of the machine's archives into FOLDER; lists and
# cache are private to it. Sets the array apt for what follows; it begins with the OPTIONs.
package_lists() {
  local type=$1 folder=$2 log=$3 file attempt
  shift 3
  mkdir -p "$folder/sources" "$folder/lists/partial" "$folder/cache/archives/partial"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -e $file ]] &&
      sed -E "/^[[:space:]]*deb-src[[:space:]]/d; s/^[[:space:]]*deb[[:space:]]/$type /" "$file" \
        >"$folder/sources/$(basename "$file" .list).list"
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [[ -e $file ]] && sed -E "s/^Types:.*/Types: $type/" "$file" >"$folder/sources/$(basename "$file")"
  done
  apt=("$@" -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$folder/sources"
    -o Dir::State::lists="$folder/lists" -o Dir::Cache="$folder/cache" -o Acquire::Retries=2 -o APT::Sandbox::User=
    -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30
    -o APT::Get::AllowUnauthenticated=false -o Acquire::AllowInsecureRepositories=false)
  for attempt in 1 2 3; do
    if apt-get "${apt[@]}" update >>"$log" 2>&1; then return; fi
    say "some package lists could not be read (attempt $attempt of 3)"
    sleep "$attempt"
  done
}

# fetch_source PACKAGE WANTED FOLDER LOG: unpacks the source of PACKAGE, of version WANTED or failing that the newest
# that arrives whole, into FOLDER, and sets source_version.
fetch_source() {
  local package=$1 wanted=$2 folder=$3 log=$4 versions candidate
  source_version=
  versions=$(apt-cache "${apt[@]}" showsrc --only-source "$package" 2>>"$log" | sed -n 's/^Version: //p' | sort -rV | uniq)
  [[ -n $versions ]] || {
    tail -n 20 "$log" >&2
    fail "no source of $package was found: check that the archives in /etc/apt offer sources, and the network"
  }
  mkdir -p "$folder"
  for candidate in $wanted $versions; do
    (cd "$folder" && rm -rf ./* && apt-get "${apt[@]}" source "$package=$candidate") >>"$log" 2>&1 || continue
    source_version=$candidate
    break
  done
  [[ -n $source_version ]] || {
    tail -n 20 "$log" >&2
    fail "the source package of $package could not be fetched: try again later"
  }
  [[ $source_version == "$wanted" ]] ||
    say "source $wanted of $package, the version installed here, is not in the archive: building $source_version"
}
