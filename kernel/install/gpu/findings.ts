/** What `report.py` prints of a Python. */
export interface Report {
  python: string;
  packages: Record<string, { version: string | null; error: string | null }>;
  /** Sentences about packages that do not fit one another. */
  clashes: string[];
  torch: {
    /** Version of CUDA or ROCm that PyTorch was built for. */
    cuda: string | null;
    hip: string | null;
    device: string | null;
    count: number;
    memory: number | null;
    warnings: string[];
  } | null;
  gpu: { vendor: string | null; name: string | null; driver: string | null; cuda: string | null };
}

/** A row of the table that the command prints. */
export interface Finding {
  what: string;
  found: string;
  /** The version that was tried; empty: any. */
  tried: string;
  /** What to do about it; empty: nothing. */
  advice: string;
  /** Nothing trains before that is mended. */
  broken?: boolean;
}

/** Versions by package, of a requirement file. */
export function readPins(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^([\w-]+)==(\S+)$/gm)].map(([, name, version]) => [name, version]));
}

/** What is there and what is missing. `install` installs packages into this Python. */
export function findings(report: Report, pins: ReadonlyMap<string, string>, install: string): Finding[] {
  return [
    { what: 'Python', found: report.python, tried: '', advice: '' },
    ...deviceFindings(report),
    ...[...pins].map(([name, version]) => packageFinding(name, version, report, install)),
    ...report.clashes.map((text) => ({
      what: 'clash',
      found: text,
      tried: '',
      advice: `install the versions that were tried together: ${install} ${[...pins].map(([name, version]) => `${name}==${version}`).join(' ')}`,
      broken: true,
    })),
  ];
}

function packageFinding(name: string, pinned: string, { packages }: Report, install: string): Finding {
  const { version, error } = packages[name] ?? { version: null, error: 'it is not installed' };
  const row = { what: name, found: version ?? 'missing', tried: pinned };
  if (error)
    return {
      ...row,
      advice: version
        ? `cannot be imported (${error}): ${install} ${name}==${pinned}`
        : `${install} ${name}==${pinned}`,
      broken: true,
    };
  return { ...row, advice: version!.split('+')[0] === pinned ? '' : 'another version than was tried' };
}

function deviceFindings({ torch, gpu }: Report): Finding[] {
  const driver = gpu.driver
    ? [{ what: 'driver', found: `${gpu.vendor} ${gpu.driver}${gpu.cuda ? `, CUDA up to ${gpu.cuda}` : ''}` }]
    : [];
  const rows = driver.map((row) => ({ ...row, tried: '', advice: '' }));
  if (!torch) return rows;
  const build = torch.cuda ? `CUDA ${torch.cuda}` : torch.hip ? `ROCm ${torch.hip}` : 'no GPU';
  if (torch.device) {
    const memory = torch.memory ? `, ${(torch.memory / 1024 ** 3).toFixed(1)} GiB` : '';
    const count = torch.count > 1 ? `${torch.count} × ` : '';
    return [
      { what: 'device', found: `${count}${torch.device}${memory}, PyTorch for ${build}`, tried: '', advice: '' },
      ...rows,
    ];
  }
  return [{ what: 'device', found: `processor, PyTorch for ${build}`, tried: '', ...noDevice(torch, gpu) }, ...rows];
}

function noDevice(
  torch: NonNullable<Report['torch']>,
  gpu: Report['gpu'],
): Pick<Finding, 'advice'> & { broken?: boolean } {
  if (gpu.vendor === 'NVIDIA') {
    if (!torch.cuda)
      return {
        advice: `this PyTorch is not for ${gpu.name}: joylab setup gpu --torch-index cu130 (or the name for your driver)`,
        broken: true,
      };
    if (gpu.cuda && Number.parseFloat(gpu.cuda) < Number.parseFloat(torch.cuda))
      return {
        advice: `the driver knows CUDA up to ${gpu.cuda}, this PyTorch wants ${torch.cuda}: update the driver, or choose a PyTorch for CUDA ${gpu.cuda} or older by --torch-index`,
        broken: true,
      };
    return { advice: `PyTorch does not find ${gpu.name}: ${torch.warnings[0] ?? 'it says no reason'}`, broken: true };
  }
  if (gpu.vendor === 'AMD')
    return {
      advice: torch.hip
        ? `PyTorch does not find the AMD GPU: ${torch.warnings[0] ?? 'is this user in the groups render and video?'}`
        : 'this PyTorch is not for the AMD GPU: joylab setup gpu --torch-index rocm6.4 (or the name for your ROCm)',
      broken: true,
    };
  return { advice: 'no GPU: small models train here, slowly' };
}
