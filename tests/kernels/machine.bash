# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The virtual machine: a kernel, and the file system of this machine, read-only. It has no network.

# machine DIRECTORY LOG ACCELERATOR [NAME=VALUE...]: runs until it switches itself off; its second serial line is
# standard output, and LOG what the kernel says. The names are variables of its first process.
machine() {
  local dir=$1 log=$2 how

  case $3 in
    kvm) how=(-accel kvm -cpu host) ;;
    # Its clock runs with its instructions, so that nothing that has a time limit finds itself on a slow machine.
    tcg) how=(-accel "tcg,tb-size=512" -cpu max,la57=off -icount shift=0,sleep=on) ;;
  esac
  shift 3
  qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -m 3G -smp 2 "${how[@]}" -rtc clock=vm \
    -kernel "$dir/vmlinuz" -initrd "$dir/initrd" \
    -append "console=ttyS0 loglevel=4 panic=-1 random.trust_cpu=on mitigations=off $*" \
    -virtfs local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap \
    -serial "file:$log" -serial stdio -device virtio-rng-pci </dev/null
}

# machine_accelerator DIRECTORY: kvm where that works; where it hangs, or there is none, software emulation.
machine_accelerator() {
  local said=

  if [[ -w /dev/kvm ]]; then
    said=$(timeout --kill-after=2 20 bash -c 'source "$0"; machine "$1" /dev/null kvm skl_probe=1' \
      "${BASH_SOURCE[0]}" "$1" 2>/dev/null)
  fi
  if [[ $said == *"init: up"* ]]; then
    echo kvm
  else
    echo tcg
  fi
}
