#!/bin/sh
# Makes a test authority, a host certificate and desktop certificates with openssl(1).
set -euf
umask 077

usage() {
  cat <<'END'
Usage: deploy/certificates.sh DIR [--host NAME|ADDRESS ...] [--desktop NAME ...] [--days N] [--bad] [--force]

Makes in DIR an authority (authority.crt, authority.key), a host certificate (host.crt, host.key) that carries every
NAME or ADDRESS after --host, and one certificate for each desktop (desktop-NAME.crt, desktop-NAME.key). All keys are
P-256, and only their owner can read them. An authority that is already in DIR is used again, so that desktops can be
added later. It is a test authority: its key lies unencrypted in DIR.

  --host NAME|ADDRESS ...   DNS names or IP addresses of the host   (default: localhost 127.0.0.1 ::1)
  --desktop NAME ...        desktops to make certificates for        (default: desk-1)
  --days N                  validity in days                         (default: 365; the authority: 3650)
  --bad                     also makes, in DIR/bad, what must be refused: expired, not yet valid, of another
                            authority, with a wrong host name, revoked, and the revocation list revocations.crl
  --force                   makes certificates again that exist; never the authority: for a new one use a new folder
  --help                    prints this

If DIR has an authority, only what is named is made, and a host if there is none yet.
END
}

die() {
  echo "certificates.sh: $*" >&2
  exit 1
}

dir='' hosts='' desktops='' days=365 bad=no force=no list=dir
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --host) list=host ;;
    --desktop) list=desktop ;;
    --days) [ $# -gt 1 ] || die "--days needs a number"; shift; days=$1; list=none ;;
    --bad) bad=yes; list=none ;;
    --force) force=yes; list=none ;;
    -*) die "$1 is no option: see --help" ;;
    *)
      case $list in
        dir) [ -z "$dir" ] || die "one folder only: $dir or $1"; dir=$1 ;;
        host) hosts="$hosts $1" ;;
        desktop) desktops="$desktops $1" ;;
        none) [ -z "$dir" ] || die "$1 belongs to no option: see --help"; dir=$1 ;;
      esac ;;
  esac
  shift
done
[ -n "$dir" ] || { usage >&2; exit 2; }
case $days in '' | *[!0-9]* | 0*) die "--days needs a number of at least 1" ;; esac
for name in $hosts; do
  case $name in *[!A-Za-z0-9.:_*-]*) die "$name is neither a host name nor an address" ;; esac
done
for name in $desktops; do
  case $name in *[!A-Za-z0-9._-]* | .* | -*) die "the desktop name $name may have letters, digits, dots, - and _ only" ;; esac
done
command -v openssl >/dev/null || die "openssl is needed: install the package openssl"

mkdir -p "$dir"
made=''
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# No file of the system's configuration is read: only this one.
OPENSSL_CONF=$work/openssl.cnf
export OPENSSL_CONF
echo 'subject=
[req]
distinguished_name = name
prompt = no
[name]
CN = unused' >"$OPENSSL_CONF"

# run COMMAND...: quiet unless it fails
run() {
  "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; die "failed: $*"; }
}

# refuse_overwrite FILE: an existing file is an error unless --force
refuse_overwrite() {
  [ ! -e "$1" ] || [ "$force" = yes ] || die "$1 exists: use --force to make it again, or another folder"
}

# new_key FILE
new_key() {
  rm -f "$1"
  run openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
  chmod 600 "$1"
}

# make_authority BASE NAME: BASE.crt, BASE.key
make_authority() {
  new_key "$1.key"
  cat >"$work/authority.cnf" <<END
[req]
distinguished_name = name
x509_extensions = authority
prompt = no
[name]
CN = $2
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
END
  rm -f "$1.crt"
  run openssl req -x509 -new -sha256 -key "$1.key" -days 3650 -config "$work/authority.cnf" -out "$1.crt"
  chmod 644 "$1.crt"
  made="$made|$1.crt|$1.key"
}

# alternative_names NAME...: prints subjectAltName's value
alternative_names() {
  joined=''
  for one in "$@"; do
    case $one in
      *:*) kind=IP ;;
      *[!0-9.]*) kind=DNS ;;
      *.*.*.*) kind=IP ;;
      *) kind=DNS ;;
    esac
    joined="$joined${joined:+, }$kind:$one"
  done
  printf '%s' "$joined"
}

# issue AUTHORITY-BASE BASE COMMON-NAME USAGE ALTERNATIVE-NAMES FROM TO: BASE.crt, BASE.key; the dates as openssl ca
# has them (openssl x509 of 3.0 cannot set a begin)
issue() {
  new_key "$2.key"
  rm -rf "$work/ca"
  mkdir "$work/ca"
  : >"$work/ca/index"
  cat >"$work/issue.cnf" <<END
[ca]
default_ca = one
[one]
database = $work/ca/index
new_certs_dir = $work/ca
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
x509_extensions = usage
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
CN = $3
[usage]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = $4
subjectAltName = $5
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
  run openssl req -new -key "$2.key" -config "$work/issue.cnf" -out "$work/request"
  rm -f "$2.crt"
  run openssl ca -batch -notext -config "$work/issue.cnf" -in "$work/request" -out "$2.crt" \
    -cert "$1.crt" -keyfile "$1.key" -startdate "$6" -enddate "$7"
  chmod 644 "$2.crt"
  made="$made|$2.crt|$2.key"
}

# date_after DAYS [SECONDS]: that long from now, as openssl ca wants it; GNU's date or BSD's
date_after() {
  at=$(($(date +%s) + $1 * 86400 + ${2:-0}))
  date -u -d "@$at" +%Y%m%d%H%M%SZ 2>/dev/null || date -u -r "$at" +%Y%m%d%H%M%SZ
}

authority=$dir/authority
if [ -e "$authority.crt" ] && [ -e "$authority.key" ]; then
  new_folder=no
elif [ -e "$authority.crt" ] || [ -e "$authority.key" ]; then
  die "of $authority.crt and $authority.key only one is there: bring the other, or use another folder"
else
  new_folder=yes
fi

# What is to be made: what is named, and in a new folder at least one of each.
make_host=no
if [ -n "$hosts" ] || [ ! -e "$dir/host.crt" ]; then make_host=yes; fi
if [ "$force" = yes ] && [ "$bad" = no ] && [ -z "$hosts$desktops" ]; then make_host=yes; fi
[ -n "$hosts" ] || hosts='localhost 127.0.0.1 ::1'
if [ -z "$desktops" ] && [ "$bad" = no ] && [ "$make_host" = yes ] && [ ! -e "$dir/desktop-desk-1.crt" ]; then
  desktops=desk-1
elif [ -z "$desktops" ] && [ "$new_folder" = yes ]; then
  desktops=desk-1
fi
if [ "$make_host$bad" = nono ] && [ -z "$desktops" ]; then
  die "nothing to make: $dir has an authority and a host already; name what you want by --host, --desktop or --bad"
fi

# Everything is refused before anything is made.
if [ "$make_host" = yes ]; then refuse_overwrite "$dir/host.crt"; refuse_overwrite "$dir/host.key"; fi
for name in $desktops; do
  refuse_overwrite "$dir/desktop-$name.crt"
  refuse_overwrite "$dir/desktop-$name.key"
done
[ "$bad" = no ] || refuse_overwrite "$dir/bad/revocations.crl"

[ "$new_folder" = no ] || make_authority "$authority" 'tsplink test authority'

# An hour back, so that a clock that is a little behind does no harm.
begin=$(date_after 0 -3600)
end=$(date_after "$days")
# shellcheck disable=SC2086 # names have no blanks
host_names=$(alternative_names $hosts)
if [ "$make_host" = yes ]; then
  issue "$authority" "$dir/host" "tsplink host" serverAuth "$host_names" "$begin" "$end"
fi
for name in $desktops; do
  issue "$authority" "$dir/desktop-$name" "$name" clientAuth "DNS:$name" "$begin" "$end"
done

# Each has one flaw only, and could be used on either side.
make_bad() {
  mkdir -p "$dir/bad"
  both='serverAuth, clientAuth'
  issue "$authority" "$dir/bad/expired" expired "$both" "$host_names" "$(date_after -20)" "$(date_after -1)"
  issue "$authority" "$dir/bad/not-yet-valid" not-yet-valid "$both" "$host_names" "$(date_after 20)" "$(date_after 40)"
  issue "$authority" "$dir/bad/wrong-name" wrong-name "$both" DNS:wrong-name.invalid "$begin" "$end"
  make_authority "$dir/bad/other-authority" 'tsplink other authority'
  issue "$dir/bad/other-authority" "$dir/bad/of-other-authority" of-other-authority "$both" "$host_names" "$begin" "$end"
  issue "$authority" "$dir/bad/revoked" revoked "$both" "$host_names" "$begin" "$end"
  # The database of the last issue knows this certificate alone.
  printf '[crl]\nauthorityKeyIdentifier = keyid:always\n' >>"$work/issue.cnf"
  run openssl ca -config "$work/issue.cnf" -cert "$authority.crt" -keyfile "$authority.key" -revoke "$dir/bad/revoked.crt"
  rm -f "$dir/bad/revocations.crl"
  run openssl ca -config "$work/issue.cnf" -cert "$authority.crt" -keyfile "$authority.key" -gencrl -crlexts crl \
    -crldays "$days" -out "$dir/bad/revocations.crl"
  chmod 644 "$dir/bad/revocations.crl"
  made="$made|$dir/bad/revocations.crl"
}
[ "$bad" = no ] || make_bad

echo "Made:"
printf '%s' "$made" | tr '|' '\n' | sed -e '/^$/d' -e 's/^/  /'
echo
echo "A host gets host.crt, host.key and authority.crt; a desktop its desktop-NAME.crt, its key and authority.crt."
