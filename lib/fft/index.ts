// torch.fft.
export { fftfreq, fftshift, ifftshift, rfftfreq } from './frequencies.js';
export { fft2, fftn, hfft2, hfftn, ifft2, ifftn, ihfft2, ihfftn, irfft2, irfftn, rfft2, rfftn } from './many.js';
export { fft, hfft, ifft, ihfft, irfft, rfft } from './one.js';
