# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Packages of other Debian suites than the machine's, from the mirror that its own apt uses, with an apt
# configuration of their own: nothing of the machine's is changed.

# suites_mirror: where this machine's Debian packages come from.
suites_mirror() {
  local mirror

  # shellcheck disable=SC2016 # for apt
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
  if [[ -z $mirror ]]; then
    echo "apt knows no mirror of Debian: run 'apt-get update', on a Debian system" >&2
    return 1
  fi
  echo "$mirror"
}

# suites_apt DIRECTORY COMMAND ARG...: an apt command with the configuration there.
suites_apt() {
  local dir=$1 command=$2

  shift 2
  "$command" -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State="$dir/state" \
    -o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" -o APT::Sandbox::User=root \
    -o Acquire::Languages=none -o APT::Architecture="$(<"$dir/arch")" -o APT::Architectures="$(<"$dir/arch")" \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null "$@"
}

# suites_open DIRECTORY SUITE [ARCHITECTURE]: makes such a configuration there and reads the suite's lists.
suites_open() {
  local dir=$1 suite=$2 mirror

  mirror=$(suites_mirror) || return 1
  mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial" || return 1
  echo "${3:-amd64}" >"$dir/arch"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$dir/sources.list"
  : >"$dir/status"
  suites_apt "$dir" apt-get -q update >"$dir/log" 2>&1 || {
    cat "$dir/log" >&2
    return 1
  }
}

# suites_depends DIRECTORY PACKAGE NAME: the first package that PACKAGE depends on whose name begins with NAME.
suites_depends() {
  suites_apt "$1" apt-cache show --no-all-versions "$2" | sed -n "s/^Depends: .*\($3[^ ,]*\).*/\1/p"
}

# suites_unpack DIRECTORY PACKAGE TARGET: downloads it, and unpacks it there; prints its version.
suites_unpack() {
  local dir=$1 package=$2 target=$3 file

  mkdir -p "$dir/got" "$target" || return 1
  (cd "$dir/got" && suites_apt ".." apt-get -q download "$package") >"$dir/log" 2>&1 || {
    cat "$dir/log" >&2
    return 1
  }
  file=("$dir/got/${package}"_*.deb)
  dpkg-deb --extract "${file[0]}" "$target" && dpkg-deb --field "${file[0]}" Version
}
