# shellcheck shell=bash
# How long the first build of the programs still takes. To be sourced after progress.sh.

# For each module, behind those before it: how many packages it compiles, and the seconds that it takes on two quiet cores.
# A package of one is not one of another: the programs are linked at the end, and modules are fetched at the beginning.
declare -A packages_of=([kube]=3406 [csi]=100 [helm]=201 [csi-sanity]=67 [kstatus]=2)
declare -A seconds_of=([kube]=405 [csi]=30 [helm]=30 [csi-sanity]=10 [kstatus]=5)

# begin_pace MODULE…: from now on these are built, and nothing is there of any of them.
begin_pace() {
  pace_begun=$SECONDS
  pace_modules=("$@")
}

# The module that is being built; those before it in the list are done.
now_building() { pace_module=$1; }

# Says nothing but in a first build: one module alone compiles more than it adds to those before it.
time_left() { # PACKAGES that it has compiled
  local done=0 all=0 module packages=$1
  [ -n "${pace_begun:-}" ] || return 0
  for module in "${pace_modules[@]}"; do
    if [ "$module" = "$pace_module" ]; then
      ((packages <= packages_of[$module])) || packages=${packages_of[$module]}
      done=$((all + seconds_of[$module] * packages / packages_of[$module]))
    fi
    all=$((all + seconds_of[$module]))
  done
  at_this_pace $((SECONDS - pace_begun)) "$done" "$all"
}
