import { checkFile } from './structured';
import { rows } from './table/arrange';

checkFile('arrange', rows);
