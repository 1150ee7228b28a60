# What is left of a node whose kubelet and containerd are gone; "$1" is its folder. The guard runs it (cluster/guard.ts).
# Whatever is in a cgroup "kubepods" is of this node: it does not start where there is one already.

groups() {
  for group in /sys/fs/cgroup/kubepods /sys/fs/cgroup/*/kubepods; do
    if [ -d "$group" ]; then find "$group" -depth -type d; fi
  done
}

# The shims first: they would outlive all that they watch.
for file in /proc/[0-9]*/cmdline; do
  pid=${file#/proc/}
  if tr '\0' ' ' <"$file" | grep -qF -- "-address $1/containerd.sock "; then kill -9 "${pid%/cmdline}"; fi
done
for group in $(groups); do
  for pid in $(cat "$group/cgroup.procs"); do kill -9 "$pid"; done
done

for file in "$1"/state/io.containerd.runtime.v2.task/k8s.io/*/address; do
  address=$(cat "$file")
  rm -f -- "${address#unix://}"
done
awk -v below="$1/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
  while read -r mount; do umount -l "$mount"; done
# What was set for the network of its pods (pod-network.ts), and what is remembered of that: else a machine is left changed.
"$1/ip" address del "$(cat "$1/apiserver-address")" dev lo
forwards=/proc/sys/net/ipv4/ip_forward
if ! cmp -s "$1/ip_forward" "$forwards"; then cat "$1/ip_forward" >"$forwards"; fi
grep -lF -- "$1/" /var/lib/cni/results/* | xargs -r rm -f --
rmdir /var/lib/cni/results /var/lib/cni
# Of the kubelet, whatever its folders are.
find /var/log/containers -lname "$1/*" -delete
rm -f /var/lib/kubelet/device-plugins/kubelet.sock

# A group goes when the last of its processes has ended. Once all are gone another node may start, and make its own.
for _ in 1 2 3 4 5 6 7 8 9 10; do
  left=
  for group in $(groups); do
    if [ -d "$group" ]; then rmdir "$group" || left=yes; fi
  done
  if [ -z "$left" ]; then break; fi
  sleep 0.5
done
