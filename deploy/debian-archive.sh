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
    -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 -o APT::Update::Error-Mode=any
    -o APT::Get::AllowUnauthenticated=false -o Acquire::AllowInsecureRepositories=false)
  for attempt in 1 2 3; do
    if apt-get "${apt[@]}" update >>"$log" 2>&1; then return; fi
    say "some package lists could not be read (attempt $attempt of 3)"
    sleep "$attempt"
  done
}

# older_stand_in PREFIX WANTED RESULT: prints the version whose build PREFIX, named after version WANTED, is a link to, if
# that one is older and has its RESULT: the archive once did not give WANTED, and is worth asking again.
older_stand_in() {
  local prefix=$1 wanted=$2 version
  [[ -L $prefix && -e $prefix/$3 ]] || return 0
  version=$(basename "$(readlink "$prefix")")
  prefix=${prefix##*/}
  version=${version#"${prefix%%"$wanted"*}"}
  version=${version%"${prefix#*"$wanted"}"}
  ! dpkg --compare-versions "$version" lt "$wanted" || printf '%s\n' "$version"
}

# fetch_source PACKAGE WANTED FOLDER LOG [OLDER]: unpacks the source of PACKAGE, of version WANTED or failing that the
# newest that arrives whole, into FOLDER, and sets source_version. With OLDER, a version that is built already, there
# may be nothing newer to be had: then source_version is OLDER, and nothing is unpacked.
fetch_source() {
  local package=$1 wanted=$2 folder=$3 log=$4 older=${5:-} versions candidate attempt why='was not found in the archive'
  source_version=
  versions=$(apt-cache "${apt[@]}" showsrc --only-source "$package" 2>>"$log" |
    sed -n 's/^Version: //p' | sort -rV | uniq) || versions=
  [[ -n $versions || -n $older ]] || {
    tail -n 20 "$log" >&2
    fail "no source of $package was found: check that the archives in /etc/apt offer sources, and the network"
  }
  if grep -qxF "$wanted" <<<"$versions"; then
    versions="$wanted $(grep -vxF "$wanted" <<<"$versions" || true)"
    why='could not be fetched'
  fi
  mkdir -p "$folder"
  for candidate in $versions; do
    [[ -z $older ]] || dpkg --compare-versions "$candidate" gt "$older" || continue
    for attempt in 1 2 3; do # a build of another version takes the place of this one: worth some patience
      if (cd "$folder" && rm -rf ./* && apt-get "${apt[@]}" source "$package=$candidate") >>"$log" 2>&1; then
        source_version=$candidate
        break 2
      fi
      say "the source of $package $candidate could not be fetched (attempt $attempt of 3)"
      ((attempt == 3)) || sleep $((attempt * 5))
    done
  done
  if [[ -z $source_version && -z $older ]]; then
    tail -n 20 "$log" >&2
    fail "the source package of $package could not be fetched: try again later"
  elif [[ -z $source_version ]]; then
    source_version=$older
    say "source $wanted of $package, the version installed here, $why: using what was built from $older"
  elif [[ $source_version != "$wanted" ]]; then
    say "source $wanted of $package, the version installed here, $why: building $source_version"
  fi
}
