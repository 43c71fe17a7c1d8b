# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A kernel of Debian's and the first file system that it starts with, in a directory: vmlinuz, modules/,
# release and initrd.

# What is needed before the machine's own file system is there.
FIRST_MODULES=(virtio_pci 9pnet_virtio 9p overlay)

# kernel_fetch DIRECTORY SUITE: unless it is there.
kernel_fetch() {
  local dir=$1 suite=$2 package release new=$1.new

  [[ ! -e $dir/release ]] || return 0
  rm -rf "$new"
  mkdir -p "$new"
  suites_open "$new/apt" "$suite" || return 1
  package=$(suites_depends "$new/apt" linux-image-amd64 linux-image-)
  [[ -n $package ]] || return 1
  suites_unpack "$new/apt" "$package" "$new/root" >"$new/version" || return 1
  release=${package#linux-image-}
  mv "$new/root/boot/vmlinuz-$release" "$new/vmlinuz" || return 1
  mkdir -p "$new/modules/lib/modules"
  mv "$new"/root/{usr/,}lib/modules/"$release" "$new/modules/lib/modules/" 2>/dev/null
  find "$new/modules" -name '*.ko.xz' -exec xz --decompress {} + || return 1
  /sbin/depmod --basedir "$new/modules" "$release" || return 1
  rm -rf "$new/root" "$new/apt"
  echo "$release" >"$new/release"
  rm -rf "$dir"
  mv "$new" "$dir"
}

# kernel_initrd DIRECTORY HERE: HERE/init with busybox and the modules that it loads.
kernel_initrd() {
  local dir=$1 release tree module file

  release=$(<"$dir/release")
  tree=$(mktemp -d "$dir/initrd.XXXXXX") || return 1
  mkdir "$tree"/{bin,dev,proc,sys,lower,up,root,modules}
  cp /bin/busybox "$tree/bin/busybox"
  cp "$2/init" "$tree/init"
  chmod 755 "$tree/init"
  for module in "${FIRST_MODULES[@]}"; do
    /sbin/modprobe --dirname "$dir/modules" --set-version "$release" --show-depends "$module" || return 1
  done | sed -n 's/^insmod //p' | awk '!seen[$1]++ { print $1 }' | while read -r file; do
    cp "$file" "$tree/modules/" && echo "${file##*/}"
  done >"$tree/load"
  (cd "$tree" && find . | cpio --quiet -o -H newc | gzip -1) >"$dir/initrd.new" && mv "$dir/initrd.new" "$dir/initrd"
  rm -rf "$tree"
}
