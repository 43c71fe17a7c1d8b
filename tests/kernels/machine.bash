# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The virtual machine: a kernel, and the file system of this machine, read-only. It has no network.

# What an emulator has translated it finds again by its address, so programs are always put at the same one: each exec is
# three times as fast. A timer that is set for each next event costs a look at a device each time; ticks come by themselves:
# a file of tests took a fifth less time with them, and timers are up to 4 ms late.
ARGUMENTS="console=ttyS0 loglevel=4 panic=-1 random.trust_cpu=on mitigations=off tsc=reliable no_timer_check init_on_alloc=0 audit=0 apparmor=0 norandmaps highres=off nohz=off"

# machine SECONDS DIRECTORY LOG ACCELERATOR [NAME=VALUE...]: runs until it switches itself off, or for so long; its second
# serial line is standard output, and LOG what the kernel says. The names are variables of its first process.
machine() {
  local limit=$1 dir=$2 log=$3 how

  case $4 in
    kvm) how=(-accel kvm -cpu host) ;;
    # what the kernel and libc do with fewer instructions is not slower here, but with larger registers
    tcg) how=(-accel tcg -cpu "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16,+rdrand") ;;
  esac
  shift 4
  timeout --kill-after=5 "$limit" qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -m 3G -smp 1 \
    "${how[@]}" -kernel "$dir/vmlinuz" -initrd "$dir/initrd" \
    -append "$ARGUMENTS $*" \
    -virtfs local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap \
    -serial "file:$log" -serial stdio -device virtio-rng-pci </dev/null
}

# machine_accelerator DIRECTORY: kvm where that works; where it hangs, or there is none, software emulation.
machine_accelerator() {
  local said=

  [[ ! -w /dev/kvm ]] || said=$(machine 20 "$1" /dev/null kvm skl_probe=1 2>/dev/null)
  if [[ $said == *"init: up"* ]]; then
    echo kvm
  else
    echo tcg
  fi
}
